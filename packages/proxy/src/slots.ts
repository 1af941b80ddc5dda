/**
 * How a packet picks one of n endpoints with a constant number of chains.
 *
 * Endpoints of a frontend sit in the slots 0..n-1 of a shared map. A chain draws a slot at random and looks it up; a slot that is empty is
 * no match, so the chain's next rule draws again. Counts up to EXACT_COUNTS have a chain of their own, larger ones share a chain per size
 * class (low, high]: it draws below `high` a few times and at last below low + 1, which always hits. All draws but the last are exactly
 * even over the n endpoints, and the last is reached by less than (1 - low/high)^DRAWS of the connections (0.8 %).
 */
export interface SizeClass {
  /** Counts above `low` up to and including `high` belong here. */
  readonly low: number;
  readonly high: number;
}

const EXACT_COUNTS = 16;
const GROWTH = 1.25;

/** Draws below `high` before the one that always hits. */
export const DRAWS = 3;

/** The most endpoints that one frontend can spread over; the rest of them stand by. */
export const MAX_SLOTS = 65_536;

/** Every size class, smallest first; together they hold each count from 1 to MAX_SLOTS once. */
export const SIZE_CLASSES: readonly SizeClass[] = sizeClasses();

function sizeClasses(): SizeClass[] {
  const classes: SizeClass[] = [];
  let low = 0;
  while (low < MAX_SLOTS) {
    const high = low < EXACT_COUNTS ? low + 1 : Math.min(MAX_SLOTS, Math.ceil(low * GROWTH));
    classes.push({ low, high });
    low = high;
  }
  return classes;
}

/** The class of a count between 1 and MAX_SLOTS. */
export function sizeClassOf(count: number): SizeClass {
  const found = SIZE_CLASSES.find(({ high }) => count <= high);
  if (count < 1 || !found) throw new RangeError(`no size class for ${count} endpoints`);
  return found;
}

/**
 * Puts `wanted` into slots with the fewest changes against `previous`: what stays keeps its slot, newcomers take the slots of what left,
 * and the last ones move down into holes. Duplicates in `wanted` count once.
 */
export function assignSlots(previous: readonly string[], wanted: readonly string[]): readonly string[] {
  const missing = new Set(wanted.slice(0, MAX_SLOTS));
  const count = missing.size;
  const slots: (string | undefined)[] = new Array<string | undefined>(count).fill(undefined);
  const displaced: string[] = [];
  for (const [slot, endpoint] of previous.entries()) {
    if (!missing.delete(endpoint)) continue;
    if (slot < count) slots[slot] = endpoint;
    else displaced.push(endpoint);
  }
  const waiting = [...displaced, ...missing].values();
  return slots.map((endpoint) => endpoint ?? waiting.next().value ?? '');
}
