/** The names that every server of the comparison knows: host0 to host999 with one address each. */
export const NAMES = 1000;
export const ZONE = 'bench.test';

export const hostName = (i: number): string => `host${i}.${ZONE}`;
export const hostAddress = (i: number): string => `10.9.${i >> 8}.${i & 255}`;

/** One line for each name, made by `format`. */
export function forEachHost(format: (name: string, address: string) => string): string {
  return `${Array.from({ length: NAMES }, (_, i) => format(hostName(i), hostAddress(i))).join('\n')}\n`;
}
