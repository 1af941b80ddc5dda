import type { Name } from '../wire/name.ts';
import { isWithin } from '../wire/name.ts';

/** Zones for which a plugin that knows no answer lets the next one try. Undefined: none; empty: all. */
export type Fallthrough = readonly Name[] | undefined;

/** `fallthrough [ZONES...]` as it was parsed. */
export function fallthroughOf(option: readonly [readonly (readonly Name[])[]] | undefined): Fallthrough {
  return option?.[0].flat();
}

/** Whether `name` (lower case) goes on to the next plugin. */
export function fallsThrough(zones: Fallthrough, name: Name): boolean {
  return zones !== undefined && (zones.length === 0 || zones.some((zone) => isWithin(name, zone)));
}
