import {
  type DaemonSet,
  type Node,
  type Pod,
  type PodSpec,
  podSelectsNode,
  type Toleration,
  untoleratedTaint,
} from '@ballast/kube';

/** Daemons stay on nodes in trouble, and go to nodes that are cordoned or not ready yet: they are what makes a node work. */
const DAEMON_TOLERATIONS: readonly Toleration[] = [
  { key: 'node.kubernetes.io/not-ready', operator: 'Exists', effect: 'NoExecute' },
  { key: 'node.kubernetes.io/unreachable', operator: 'Exists', effect: 'NoExecute' },
  { key: 'node.kubernetes.io/disk-pressure', operator: 'Exists', effect: 'NoSchedule' },
  { key: 'node.kubernetes.io/memory-pressure', operator: 'Exists', effect: 'NoSchedule' },
  { key: 'node.kubernetes.io/pid-pressure', operator: 'Exists', effect: 'NoSchedule' },
  { key: 'node.kubernetes.io/unschedulable', operator: 'Exists', effect: 'NoSchedule' },
];
const HOST_NETWORK_TOLERATION: Toleration = {
  key: 'node.kubernetes.io/network-unavailable',
  operator: 'Exists',
  effect: 'NoSchedule',
};

/** The tolerations of a DaemonSet's pods. */
export function daemonTolerations(spec: Pick<PodSpec, 'tolerations' | 'hostNetwork'>): Toleration[] {
  const added = spec.hostNetwork ? [...DAEMON_TOLERATIONS, HOST_NETWORK_TOLERATION] : DAEMON_TOLERATIONS;
  const own = spec.tolerations ?? [];
  const has = (wanted: Toleration) =>
    own.some(
      ({ key, effect, operator }) => key === wanted.key && effect === wanted.effect && operator === wanted.operator,
    );
  return [...own, ...added.filter((toleration) => !has(toleration))];
}

/** The pod spec for one node: the scheduler places it, but may choose only this node. */
export function specForNode(spec: PodSpec, nodeName: string): PodSpec {
  const nodeAffinity = spec.affinity?.nodeAffinity ?? {};
  const fields = [{ key: 'metadata.name', operator: 'In' as const, values: [nodeName] }];
  const terms = nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms ?? [{}];
  const nodeSelectorTerms = terms.map((term) => ({ ...term, matchFields: fields }));
  return {
    ...spec,
    tolerations: daemonTolerations(spec),
    affinity: {
      ...spec.affinity,
      nodeAffinity: { ...nodeAffinity, requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms } },
    },
  };
}

/** The node that a daemon pod runs on or is meant for. */
export function nodeOf(pod: Pod): string | undefined {
  if (pod.spec?.nodeName) return pod.spec.nodeName;
  const terms =
    pod.spec?.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms ?? [];
  for (const { matchFields } of terms) {
    const field = matchFields?.find(({ key, operator }) => key === 'metadata.name' && operator === 'In');
    if (field?.values?.length === 1) return field.values[0];
  }
  return undefined;
}

/** `run`: a pod belongs here. `stay`: one that is here may stay. Resources and ports are for the scheduler to judge. */
export function placementOn(daemonSet: DaemonSet, node: Node): { readonly run: boolean; readonly stay: boolean } {
  const spec = daemonSet.spec?.template?.spec;
  if (!spec || node.metadata.deletionTimestamp !== undefined) return { run: false, stay: false };
  if (spec.nodeName && spec.nodeName !== node.metadata.name) return { run: false, stay: false };
  if (!podSelectsNode(spec, node)) return { run: false, stay: false };
  const tolerations = daemonTolerations(spec);
  const taints = node.spec?.taints;
  const stay = untoleratedTaint(taints, tolerations, ['NoExecute']) === undefined;
  return { run: stay && untoleratedTaint(taints, tolerations, ['NoSchedule']) === undefined, stay };
}
