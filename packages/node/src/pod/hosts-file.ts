import type { Pod } from '@ballast/kube';

/** The host name of a pod: its own choice, or its name, cut to what the kernel takes. */
export function hostnameOf(pod: Pod): string {
  return (pod.spec?.hostname || pod.metadata.name).slice(0, 63).replace(/[-.]+$/, '');
}

/** The full host name of a pod that belongs to a headless Service (`subdomain`), or undefined. */
export function fullHostname(pod: Pod, clusterDomain: string): string | undefined {
  const subdomain = pod.spec?.subdomain;
  if (!subdomain) return undefined;
  return `${hostnameOf(pod)}.${subdomain}.${pod.metadata.namespace}.svc.${clusterDomain}`;
}

/** /etc/hosts of the containers of a pod. Pods in the node's network start from the node's own file. */
export function hostsFile(options: {
  readonly pod: Pod;
  readonly podIps: readonly string[];
  readonly clusterDomain: string;
  readonly nodeHosts: string;
}): string {
  const { pod, podIps } = options;
  const aliases = (pod.spec?.hostAliases ?? []).map((alias) => `${alias.ip}\t${(alias.hostnames ?? []).join('\t')}`);
  const added = aliases.length > 0 ? ['', '# Entries added by HostAliases.', ...aliases] : [];
  if (pod.spec?.hostNetwork) {
    return `# Kubernetes-managed hosts file (host network).\n${options.nodeHosts}${added.join('\n')}\n`;
  }
  const names = [fullHostname(pod, options.clusterDomain), hostnameOf(pod)].filter((name) => name !== undefined);
  return `${[
    '# Kubernetes-managed hosts file.',
    '127.0.0.1\tlocalhost',
    '::1\tlocalhost ip6-localhost ip6-loopback',
    'fe00::0\tip6-localnet',
    'fe00::0\tip6-mcastprefix',
    'fe00::1\tip6-allnodes',
    'fe00::2\tip6-allrouters',
    ...podIps.map((ip) => `${ip}\t${names.join('\t')}`),
    ...added,
  ].join('\n')}\n`;
}
