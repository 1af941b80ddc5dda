import { type Pod, type Taint, tolerates } from '@ballast/kube';

/**
 * When a pod has to leave a node with these taints, in wall-clock ms: now or earlier means at once, undefined means never. Every
 * NoExecute taint must be tolerated; the shortest tolerationSeconds counts, from when the taint was added.
 */
export function evictAtMs(pod: Pod, taints: readonly Taint[], nowMs: number): number | undefined {
  let earliest: number | undefined;
  for (const taint of taints) {
    if (taint.effect !== 'NoExecute') continue;
    const tolerations = (pod.spec?.tolerations ?? []).filter((toleration) => tolerates(toleration, taint));
    if (tolerations.length === 0) return nowMs;
    for (const { tolerationSeconds } of tolerations) {
      if (tolerationSeconds === undefined) continue;
      const since = taint.timeAdded === undefined ? nowMs : Date.parse(taint.timeAdded);
      const at = since + Math.max(0, tolerationSeconds) * 1000;
      earliest = Math.min(earliest ?? at, at);
    }
  }
  return earliest;
}
