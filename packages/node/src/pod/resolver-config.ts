import type { Pod } from '@ballast/kube';

/** What resolv.conf of a container says. */
export interface ResolverConfig {
  readonly servers: readonly string[];
  readonly searches: readonly string[];
  readonly options: readonly string[];
}

const MAX_SERVERS = 3;
const MAX_SEARCHES = 32;
const MAX_SEARCH_CHARACTERS = 2048;

/** Parses resolv.conf(5) of the node; unknown lines are left out. */
export function parseResolvConf(text: string): ResolverConfig {
  const servers: string[] = [];
  let searches: string[] = [];
  const options: string[] = [];
  for (const line of text.split('\n')) {
    const [keyword, ...words] = line
      .replace(/[#;].*/, '')
      .trim()
      .split(/\s+/);
    if (keyword === 'nameserver' && words[0]) servers.push(words[0]);
    else if (keyword === 'search' || keyword === 'domain') searches = words;
    else if (keyword === 'options') options.push(...words);
  }
  return { servers, searches, options };
}

/** The resolver configuration of a pod by its dnsPolicy and dnsConfig, within the limits of the C library. */
export function resolverConfig(options: {
  readonly pod: Pod;
  readonly node: ResolverConfig;
  readonly clusterDns: readonly string[];
  readonly clusterDomain: string;
}): ResolverConfig {
  const { pod, node, clusterDns, clusterDomain } = options;
  const { spec } = pod;
  const policy = spec?.dnsPolicy ?? 'ClusterFirst';
  const inCluster = policy === 'ClusterFirstWithHostNet' || (policy === 'ClusterFirst' && !spec?.hostNetwork);
  let base = node;
  if (policy === 'None') base = { servers: [], searches: [], options: [] };
  else if (inCluster && clusterDns.length > 0) {
    const domain = clusterDomain;
    const searches = [`${pod.metadata.namespace}.svc.${domain}`, `svc.${domain}`, domain];
    base = { servers: clusterDns, searches: [...searches, ...node.searches], options: ['ndots:5'] };
  }
  const extra = spec?.dnsConfig;
  const resolverOptions = new Map(base.options.map((option) => [option.split(':')[0] ?? option, option]));
  for (const { name, value } of extra?.options ?? []) {
    if (name) resolverOptions.set(name, value === undefined ? name : `${name}:${value}`);
  }
  const searches: string[] = [];
  for (const search of new Set([...base.searches, ...(extra?.searches ?? [])])) {
    const length = searches.reduce((sum, other) => sum + other.length + 1, search.length);
    if (searches.length < MAX_SEARCHES && length <= MAX_SEARCH_CHARACTERS) searches.push(search);
  }
  return {
    servers: [...new Set([...base.servers, ...(extra?.nameservers ?? [])])].slice(0, MAX_SERVERS),
    searches,
    options: [...resolverOptions.values()],
  };
}

export function formatResolvConf(config: ResolverConfig): string {
  const lines = config.searches.length > 0 ? [`search ${config.searches.join(' ')}`] : [];
  lines.push(...config.servers.map((server) => `nameserver ${server}`));
  if (config.options.length > 0) lines.push(`options ${config.options.join(' ')}`);
  return `${lines.join('\n')}\n`;
}
