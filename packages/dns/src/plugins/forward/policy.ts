/** In which order upstreams are tried for a query. */
export type PolicyName = 'random' | 'round_robin' | 'sequential';

/** Makes a function that gives the order for the next query. */
export function createPolicy(name: PolicyName, random: () => number): <T>(items: readonly T[]) => T[] {
  let turn = -1;
  const from = <T>(items: readonly T[], start: number): T[] => [...items.slice(start), ...items.slice(0, start)];
  switch (name) {
    case 'sequential':
      return (items) => [...items];
    case 'round_robin':
      return (items) => {
        turn = items.length === 0 ? 0 : (turn + 1) % items.length;
        return from(items, turn);
      };
    case 'random':
      return (items) => from(items, Math.floor(random() * items.length));
  }
}
