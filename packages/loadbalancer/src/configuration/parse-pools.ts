import { formatCidr, type IpRange, parseIpRange, rangesOverlap, rangeToCidrs } from '@ballast/base';
import type { IpAddressPool } from '../resources/kinds.ts';
import type { Pool, PoolRange } from './configuration.ts';
import { duplicateProblems, selectorProblems } from './selection.ts';

/** A parsed object, or all that is wrong with it. */
export type Parsed<T> = { readonly value: T } | { readonly problems: readonly string[] };

/** Parses one pool; `taken` are the ranges of the pools before it. */
export function parsePool(
  object: IpAddressPool,
  taken: readonly { readonly pool: string; readonly range: PoolRange }[],
): Parsed<Pool> {
  const { spec, metadata } = object;
  const problems: string[] = [];
  const ranges: PoolRange[] = [];
  if ((spec?.addresses ?? []).length === 0) problems.push('pool has no prefixes defined');
  for (const text of spec?.addresses ?? []) {
    const range = text.includes('/') || text.includes('-') ? parseIpRange(text) : undefined;
    if (!range) {
      problems.push(`invalid CIDR or range "${text}"`);
      continue;
    }
    const other = [...taken, ...ranges.map((own) => ({ pool: metadata.name, range: own }))].find((entry) =>
      rangesOverlap(entry.range.range, range),
    );
    if (other)
      problems.push(
        `CIDR "${text}" in pool "${metadata.name}" overlaps with already defined CIDR "${other.range.text}" of pool "${other.pool}"`,
      );
    else ranges.push({ text, range, cidrs: rangeToCidrs(range) });
  }
  const allocation = spec?.serviceAllocation;
  problems.push(
    ...duplicateProblems('namespace', allocation?.namespaces ?? []),
    ...selectorProblems('namespaceSelectors', allocation?.namespaceSelectors ?? []),
    ...selectorProblems('serviceSelectors', allocation?.serviceSelectors ?? []),
  );
  if (problems.length > 0) return { problems };
  return {
    value: {
      name: metadata.name,
      labels: metadata.labels ?? {},
      ranges,
      autoAssign: spec.autoAssign ?? true,
      avoidBuggyIps: spec.avoidBuggyIPs ?? false,
      allocation: allocation && {
        priority:
          allocation.priority === undefined || allocation.priority === 0
            ? Number.POSITIVE_INFINITY
            : allocation.priority,
        namespaces: allocation.namespaces ?? [],
        namespaceSelectors: allocation.namespaceSelectors ?? [],
        serviceSelectors: allocation.serviceSelectors ?? [],
      },
    },
  };
}

/** 'first-last' or the prefix, for messages. */
export function formatRange(range: IpRange): string {
  return rangeToCidrs(range).map(formatCidr).join(',');
}
