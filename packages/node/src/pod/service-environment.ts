import type { Service } from '@ballast/kube';

const variableName = (text: string) => text.toUpperCase().replaceAll('-', '_');

/**
 * Variables that tell containers where the Services of their namespace are: NAME_SERVICE_HOST and _PORT, and the form that docker links
 * had. `api` is where the API server is, from inside the cluster: it is in the environment of every pod.
 */
export function serviceEnvironment(options: {
  readonly services: Iterable<Service>;
  readonly namespace: string;
  readonly enableServiceLinks: boolean;
}): Map<string, string> {
  const variables = new Map<string, string>();
  for (const service of options.services) {
    const { name, namespace } = service.metadata;
    const isApi = namespace === 'default' && name === 'kubernetes';
    if (!isApi && !(options.enableServiceLinks && namespace === options.namespace)) continue;
    const ip = service.spec?.clusterIP;
    const [first] = service.spec?.ports ?? [];
    if (ip === undefined || ip === '' || ip === 'None' || !first) continue;
    const prefix = variableName(name);
    const host = ip.includes(':') ? `[${ip}]` : ip;
    variables.set(`${prefix}_SERVICE_HOST`, ip);
    variables.set(`${prefix}_SERVICE_PORT`, String(first.port));
    for (const port of service.spec?.ports ?? []) {
      if (port.name) variables.set(`${prefix}_SERVICE_PORT_${variableName(port.name)}`, String(port.port));
    }
    const protocolOf = (port: { protocol?: string | undefined }) => (port.protocol ?? 'TCP').toLowerCase();
    variables.set(`${prefix}_PORT`, `${protocolOf(first)}://${host}:${first.port}`);
    for (const port of service.spec?.ports ?? []) {
      const protocol = protocolOf(port);
      const link = `${prefix}_PORT_${port.port}_${protocol.toUpperCase()}`;
      variables.set(link, `${protocol}://${host}:${port.port}`);
      variables.set(`${link}_PROTO`, protocol);
      variables.set(`${link}_PORT`, String(port.port));
      variables.set(`${link}_ADDR`, ip);
    }
  }
  return variables;
}
