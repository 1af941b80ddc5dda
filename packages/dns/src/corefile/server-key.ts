import { parseIp } from '@ballast/base';
import { type Name, parseNameText } from '../wire/name.ts';
import { reverseZones } from './reverse-zone.ts';

/** What a server block serves, out of one key such as 'cluster.local:5353' or '10.0.0.0/15'. */
export interface ServerKey {
  readonly text: string;
  /** Lower case. More than one for a prefix off an octet or nibble boundary. */
  readonly zones: readonly Name[];
  readonly port: number;
}

export const DEFAULT_DNS_PORT = 53;

/** Transports that the Corefile grammar knows and this server does not speak yet. */
const OTHER_SCHEMES = ['tls', 'https', 'https3', 'quic', 'grpc'];

/** Reads `[dns://]ZONE-or-CIDR[:PORT]`; a string says what is wrong. */
export function parseServerKey(text: string, defaultPort = DEFAULT_DNS_PORT): ServerKey | string {
  const scheme = /^([a-z0-9]+):\/\//i.exec(text)?.[1]?.toLowerCase();
  if (scheme !== undefined && scheme !== 'dns') {
    return OTHER_SCHEMES.includes(scheme)
      ? `"${text}": this server does not listen for ${scheme}:// yet; use dns:// or leave it out`
      : `"${text}": "${scheme}://" is not a transport; use dns:// or leave it out`;
  }
  const rest = scheme === undefined ? text : text.slice('dns://'.length);
  const colon = rest.lastIndexOf(':');
  // The last colon of '2001:db8::/32' belongs to the address.
  const hasPort = colon >= 0 && !rest.slice(colon).includes('/');
  const zoneText = hasPort ? rest.slice(0, colon) : rest;
  const portText = hasPort ? rest.slice(colon + 1) : undefined;
  if (portText !== undefined && (!/^[0-9]{1,5}$/.test(portText) || Number(portText) > 65535)) {
    return `"${text}": a port from 0 to 65535 must follow the colon`;
  }
  const zones = parseZone(zoneText);
  if (typeof zones === 'string') return zones;
  return { text, zones, port: portText === undefined ? defaultPort : Number(portText) };
}

/** The zones that a zone argument or key names: a domain name, or the reverse zones of a prefix. A string says what is wrong. */
export function parseZone(text: string): readonly Name[] | string {
  if (text === '') return ['.'];
  const reverse = reverseZones(text);
  if (reverse) return reverse;
  if (text.includes('/')) return `"${text}" is not a zone: an address prefix looks like 10.0.0.0/8 or 2001:db8::/32`;
  if (text.includes(':') || parseIp(text)?.family === 6) return `"${text}" is an address, not a zone; write a prefix`;
  const name = parseNameText(text);
  return name === undefined ? `"${text}" is not a domain name` : [name.toLowerCase()];
}
