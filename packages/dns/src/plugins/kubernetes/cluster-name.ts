import { labelsOf, type Name } from '../../wire/name.ts';

/** What a name below a cluster zone refers to (Kubernetes DNS specification 1.1.0, and CoreDNS's additions). */
export type ClusterName =
  | { readonly kind: 'apex' }
  /** `svc.`, `pod.` or `dns.`: it has names below it and nothing of its own. */
  | { readonly kind: 'branch' }
  | { readonly kind: 'version' }
  | { readonly kind: 'nameserver' }
  | { readonly kind: 'namespace'; readonly namespace: string }
  | { readonly kind: 'pod'; readonly namespace: string; readonly label: string }
  | { readonly kind: 'service'; readonly namespace: string; readonly service: string }
  | { readonly kind: 'endpoint'; readonly namespace: string; readonly service: string; readonly endpoint: string }
  | {
      readonly kind: 'port';
      readonly namespace: string;
      readonly service: string;
      readonly port: string;
      readonly protocol: string;
    }
  | { readonly kind: 'unknown' };

const UNKNOWN: ClusterName = { kind: 'unknown' };

/** Takes apart `name`, which is in `zone`; both in lower case. */
export function parseClusterName(name: Name, zone: Name): ClusterName {
  if (name === zone) return { kind: 'apex' };
  const labels = labelsOf(name.slice(0, name.length - (zone === '.' ? 0 : zone.length))).toReversed();
  const [branch, namespace, third, fourth, fifth, ...more] = labels;
  if (more.length > 0) return UNKNOWN;
  if (branch === 'dns-version') return namespace === undefined ? { kind: 'version' } : UNKNOWN;
  if (branch === 'dns') {
    if (namespace === undefined) return { kind: 'branch' };
    return namespace === 'ns' && third === undefined ? { kind: 'nameserver' } : UNKNOWN;
  }
  if (branch !== 'svc' && branch !== 'pod') return UNKNOWN;
  if (namespace === undefined) return { kind: 'branch' };
  if (third === undefined) return { kind: 'namespace', namespace };
  if (branch === 'pod') return fourth === undefined ? { kind: 'pod', namespace, label: third } : UNKNOWN;
  if (fourth === undefined) return { kind: 'service', namespace, service: third };
  if (fifth === undefined) return { kind: 'endpoint', namespace, service: third, endpoint: fourth };
  return { kind: 'port', namespace, service: third, port: bare(fifth), protocol: bare(fourth) };
}

/** The underscore of `_http` may be left out. */
const bare = (label: string) => (label.startsWith('_') ? label.slice(1) : label);
