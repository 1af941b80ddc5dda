import { canonicalIp } from '@ballast/base';
import type { Parsed, Value } from '../../syntax/value.ts';

/** A server to forward to. */
export interface UpstreamAddress {
  readonly address: string;
  readonly port: number;
  /** DNS over TLS (RFC 7858); the name is what its certificate must be for. */
  readonly tls?: { readonly serverName?: string };
}

/** What `forward` may be pointed at: a server, or a file in the form of resolv.conf(5). */
export type ForwardTarget =
  | { readonly kind: 'server'; readonly server: UpstreamAddress }
  | { readonly kind: 'file'; readonly path: string };

const PORT = { dns: 53, tls: 853 } as const;

/** IP[:PORT], dns://IP[:PORT], tls://IP[%SERVERNAME][:PORT], or a path. */
export const forwardTarget: Value<ForwardTarget> = {
  expected: 'IP[:PORT], tls://IP[%SERVERNAME][:PORT], or the path of a resolv.conf file',
  parse(text): Parsed<ForwardTarget> {
    if (text.startsWith('/')) return { ok: true, value: { kind: 'file', path: text } };
    const server = parseServer(text);
    return server ? { ok: true, value: { kind: 'server', server } } : { ok: false };
  },
};

function parseServer(text: string): UpstreamAddress | undefined {
  const scheme = /^(dns|tls):\/\//.exec(text)?.[1] === 'tls' ? 'tls' : 'dns';
  const rest = text.replace(/^(dns|tls):\/\//, '');
  const match = /^(?:\[([^\]%]+)(?:%([^\]]+))?\]|([0-9.]+)(?:%([^:]+))?)(?::([0-9]{1,5}))?$/.exec(rest);
  // A bare IPv6 address has no port.
  const address = canonicalIp(match?.[1] ?? match?.[3] ?? rest);
  const port = Number(match?.[5] ?? PORT[scheme]);
  if (address === undefined || port < 1 || port > 65535) return undefined;
  const serverName = match?.[2] ?? match?.[4];
  if (scheme === 'dns') return serverName === undefined ? { address, port } : undefined;
  return { address, port, tls: serverName === undefined ? {} : { serverName } };
}

/** How logs and metrics name a server: '192.0.2.1:53'. */
export function formatUpstream({ address, port }: UpstreamAddress): string {
  return `${address.includes(':') ? `[${address}]` : address}:${port}`;
}

/** The name servers of a resolv.conf(5) text. */
export function parseResolvConf(text: string): UpstreamAddress[] {
  return text.split('\n').flatMap((line) => {
    const address = /^\s*nameserver\s+(\S+)/.exec(line)?.[1];
    const server = address === undefined ? undefined : parseServer(address.includes(':') ? `[${address}]` : address);
    return server ?? [];
  });
}
