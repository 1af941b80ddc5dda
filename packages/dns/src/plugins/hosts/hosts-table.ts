import { canonicalIp, parseIp } from '@ballast/base';
import { reverseName } from '../../corefile/reverse-zone.ts';
import { type Name, parentOf, parseNameText } from '../../wire/name.ts';

/** Names and addresses of a hosts file (hosts(5)), and back. Names are in lower case. */
export interface HostsTable {
  readonly addresses: ReadonlyMap<Name, readonly string[]>;
  /** Names of an address, by its reverse name. */
  readonly names: ReadonlyMap<Name, readonly Name[]>;
  readonly entries: number;
}

/** Reads `ADDRESS NAME [NAME...]` lines; what is not such a line is skipped, as the C library does. */
export function parseHosts(lines: Iterable<readonly string[]>): HostsTable {
  const addresses = new Map<Name, string[]>();
  const names = new Map<Name, Name[]>();
  let entries = 0;
  for (const [first = '', ...rest] of lines) {
    // A zone such as fe80::1%lo0 means nothing to other machines.
    const address = canonicalIp(first.split('%')[0] ?? '');
    const ip = address === undefined ? undefined : parseIp(address);
    if (address === undefined || !ip) continue;
    for (const text of rest) {
      const name = parseNameText(text)?.toLowerCase();
      if (name === undefined) continue;
      entries += 1;
      append(addresses, name, address);
      if (!name.startsWith('*.')) append(names, reverseName(ip), name);
    }
  }
  return { addresses, names, entries };
}

function append(map: Map<string, string[]>, key: string, value: string): void {
  const values = map.get(key) ?? [];
  if (!values.includes(value)) map.set(key, [...values, value]);
}

/** The words of each line of a hosts file, comments left out. */
export function hostsLines(text: string): string[][] {
  return text.split('\n').map((line) => (line.split('#')[0] ?? '').trim().split(/\s+/));
}

/** Addresses of a name: its own, or those of `*.` beside it, which stands for one label. */
export function addressesOf(table: HostsTable, name: Name): readonly string[] | undefined {
  return table.addresses.get(name) ?? table.addresses.get(`*.${parentOf(name)}`);
}
