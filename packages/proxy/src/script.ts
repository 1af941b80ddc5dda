import type { ElementChange, Family } from './element.ts';
import { TABLE, tableFamily } from './ruleset.ts';

/** Elements per command; nft's parser slows down on very long ones. */
const ELEMENTS_PER_COMMAND = 2000;

/** The nft commands for these changes, in their order, neighbours joined. One script is one transaction. */
export function scriptOf(changes: readonly ElementChange[]): string {
  // Per family and operation one group for each container: the order of containers is free, deletions come first.
  const groups = new Map<string, { readonly head: string; readonly items: string[] }>();
  for (const { op, family, element } of changes) {
    const head = `${op} element ${tableFamily(family)} ${TABLE} ${element.container}`;
    let group = groups.get(head);
    if (!group) {
      group = { head, items: [] };
      groups.set(head, group);
    }
    group.items.push(element.value === '' || op === 'delete' ? element.key : `${element.key} : ${element.value}`);
  }
  const lines: string[] = [];
  for (const operation of ['delete', 'add']) {
    for (const { head, items } of groups.values()) {
      if (!head.startsWith(operation)) continue;
      for (let at = 0; at < items.length; at += ELEMENTS_PER_COMMAND) {
        lines.push(`${head} { ${items.slice(at, at + ELEMENTS_PER_COMMAND).join(', ')} }`);
      }
    }
  }
  return lines.length === 0 ? '' : `${lines.join('\n')}\n`;
}

/** The families that these changes touch. */
export function familiesOf(changes: readonly ElementChange[]): Set<Family> {
  return new Set(changes.map((change) => change.family));
}
