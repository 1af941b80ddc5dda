import { isJsonObject, type JsonObject, listAt, numberAt, objectAt, textAt } from '../object/api-object.ts';
import { conditionOf, countOf, specOf, statusOf, textOr } from './cell-text.ts';
import { type Cell, columns, NONE, type Printer, type RowCondition } from './column.ts';
import { age } from './human-duration.ts';

/** The table of pods. The STATUS column is a summary that exists nowhere else: see podReason. */
export const podPrinter: Printer = {
  columns: columns('Name', 'Ready', 'Status', 'Restarts', 'Age', 'IP+', 'Node+', 'Nominated Node+', 'Readiness Gates+'),
  cells(pod, nowMs): Cell[] {
    const summary = summarize(pod, nowMs);
    const status = statusOf(pod);
    return [
      pod.metadata.name,
      `${summary.ready}/${summary.total}`,
      summary.reason,
      summary.restarts,
      age(pod.metadata.creationTimestamp, nowMs),
      textOr(status.podIP ?? textAt(listAt(status, 'podIPs')[0], 'ip'), NONE),
      textOr(specOf(pod).nodeName, NONE),
      textOr(status.nominatedNodeName, NONE),
      readinessGates(pod),
    ];
  },
  conditions(pod): RowCondition[] {
    const phase = statusOf(pod).phase;
    if (phase === 'Succeeded') return [completed(phase, 'The pod has completed successfully.')];
    return phase === 'Failed' ? [completed(phase, 'The pod failed.')] : [];
  },
};

function completed(reason: string, message: string): RowCondition {
  return { type: 'Completed', status: 'True', reason, message };
}

interface Summary {
  readonly ready: number;
  readonly total: number;
  readonly reason: string;
  /** '3 (5m ago)'. */
  readonly restarts: string;
}

interface Restarts {
  count: number;
  last: string;
}

function summarize(pod: JsonObject & { metadata: { deletionTimestamp?: string } }, nowMs: number): Summary {
  const spec = specOf(pod);
  const status = statusOf(pod);
  const phase = textOr(status.phase, '');
  let reason = textOr(status.reason, phase);
  if (textAt(conditionOf(pod, 'PodScheduled'), 'reason') === 'SchedulingGated') reason = 'SchedulingGated';

  const sidecars = new Set(
    listAt(spec, 'initContainers')
      .filter((container) => textAt(container, 'restartPolicy') === 'Always')
      .map((container) => textAt(container, 'name')),
  );
  const total = listAt(spec, 'containers').length + sidecars.size;
  let ready = 0;
  const all: Restarts = { count: 0, last: '' };
  const ofSidecars: Restarts = { count: 0, last: '' };
  const initial = initReason(pod, sidecars, { all, ofSidecars, ready: () => ready++ });
  if (initial !== undefined) reason = initial;
  let restarts = all;
  if (initial === undefined || conditionOf(pod, 'Initialized')?.status === 'True') {
    restarts = ofSidecars;
    let running = false;
    for (const container of [...listAt(status, 'containerStatuses')].reverse()) {
      countRestarts(container, restarts);
      const why = endedReason(container, '');
      if (why !== undefined) reason = why;
      else if (isReady(container) && objectAt(container, 'state', 'running')) {
        running = true;
        ready++;
      }
    }
    // Some containers are done, others still run.
    if (reason === 'Completed' && running)
      reason = conditionOf(pod, 'Ready')?.status === 'True' ? 'Running' : 'NotReady';
  }
  if (pod.metadata.deletionTimestamp) {
    if (status.reason === 'NodeLost') reason = 'Unknown';
    else if (phase !== 'Succeeded' && phase !== 'Failed') reason = 'Terminating';
  }
  const ago = restarts.count > 0 && restarts.last !== '' ? ` (${age(restarts.last, nowMs)} ago)` : '';
  return { ready, total, reason, restarts: `${restarts.count}${ago}` };
}

interface InitTally {
  readonly all: Restarts;
  readonly ofSidecars: Restarts;
  readonly ready: () => void;
}

/** The reason while init containers are not all done; undefined once they are. */
function initReason(pod: JsonObject, sidecars: ReadonlySet<string | undefined>, tally: InitTally): string | undefined {
  for (const [i, container] of listAt(statusOf(pod), 'initContainerStatuses').entries()) {
    countRestarts(container, tally.all);
    const sidecar = sidecars.has(textAt(container, 'name'));
    if (sidecar) countRestarts(container, tally.ofSidecars);
    const terminated = objectAt(container, 'state', 'terminated');
    if (terminated?.exitCode === 0) continue;
    if (sidecar && isJsonObject(container) && container.started === true) {
      if (isReady(container)) tally.ready();
      continue;
    }
    const waiting = textAt(container, 'state', 'waiting', 'reason');
    if (terminated || (waiting && waiting !== 'PodInitializing')) return endedReason(container, 'Init:');
    return `Init:${i}/${listAt(specOf(pod), 'initContainers').length}`;
  }
  return undefined;
}

/** Why a container waits or how it ended; undefined when it does neither. */
function endedReason(container: unknown, prefix: string): string | undefined {
  const waiting = textAt(container, 'state', 'waiting', 'reason');
  if (waiting) return `${prefix}${waiting}`;
  const terminated = objectAt(container, 'state', 'terminated');
  if (!terminated) return undefined;
  if (textAt(terminated, 'reason')) return `${prefix}${textAt(terminated, 'reason')}`;
  const signal = countOf(terminated.signal);
  return signal === 0 ? `${prefix}ExitCode:${countOf(terminated.exitCode)}` : `${prefix}Signal:${signal}`;
}

function isReady(container: unknown): boolean {
  return isJsonObject(container) && container.ready === true;
}

function countRestarts(container: unknown, restarts: Restarts): void {
  restarts.count += numberAt(container, 'restartCount') ?? 0;
  const ended = textAt(container, 'lastState', 'terminated', 'finishedAt') ?? '';
  if (ended > restarts.last) restarts.last = ended;
}

function readinessGates(pod: JsonObject): string {
  const gates = listAt(specOf(pod), 'readinessGates');
  if (gates.length === 0) return NONE;
  const open = gates.filter((gate) => conditionOf(pod, textAt(gate, 'conditionType') ?? '')?.status === 'True');
  return `${open.length}/${gates.length}`;
}
