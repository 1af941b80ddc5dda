import type { Flow } from '@ballast/linux';
import type { FrontendChange } from './ledger.ts';

/**
 * The UDP flows that a change has made stale. A UDP "connection" lives in conntrack for as long as packets keep coming, whoever they go to:
 * without this, a client that never stops asking would be sent to a pod that is long gone, or to nobody, for ever. Flows to endpoints that
 * still answer are left alone, also while these drain. TCP needs no such thing: its peers notice.
 */
export function staleFlows(flows: Iterable<Flow>, changes: readonly FrontendChange[]): Flow[] {
  const changed = new Map<string, FrontendChange>();
  for (const change of changes) {
    const frontend = change.after ?? change.before;
    if (frontend?.protocol === 'udp') changed.set(`${frontend.address} ${frontend.port}`, change);
  }
  const stale: Flow[] = [];
  for (const flow of flows) {
    const change = changed.get(`${flow.original.destination} ${flow.original.destinationPort}`);
    if (!change || flow.protocol !== 'udp') continue;
    const answerer = `${flow.reply.source} . ${flow.reply.sourcePort}`;
    // Once a frontend is gone, its address may be somebody else's: only flows to what was behind it are ours to end.
    const isStale = change.after ? !change.after.serving?.has(answerer) : change.before?.serving?.has(answerer);
    if (isStale) stale.push(flow);
  }
  return stale;
}

/** The families in which changed UDP frontends may have left stale flows. */
export function familiesWithStaleFlows(changes: readonly FrontendChange[]): (4 | 6)[] {
  const families = new Set<4 | 6>();
  for (const { before, after } of changes) {
    const frontend = after ?? before;
    if (frontend?.protocol === 'udp') families.add(frontend.family);
  }
  return [...families];
}
