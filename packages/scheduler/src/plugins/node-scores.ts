import { matchesNodeSelectorTerm, tolerates } from '@ballast/kube';
import type { NodeInfo, PlacedPod } from '../node-info.ts';
import type { ScorePlugin } from '../plugin.ts';

/** Fewer taints PreferNoSchedule that the pod does not tolerate. */
export const taintTolerationScore: ScorePlugin = {
  name: 'TaintToleration',
  weight: 3,
  scale: 'low',
  prepare: ({ pod }) => {
    const tolerations = pod.spec?.tolerations ?? [];
    return ({ node }) =>
      (node.spec?.taints ?? []).filter(
        (taint) =>
          taint.effect === 'PreferNoSchedule' && !tolerations.some((toleration) => tolerates(toleration, taint)),
      ).length;
  },
};

/** Preferred node affinity. */
export const nodeAffinityScore: ScorePlugin = {
  name: 'NodeAffinity',
  weight: 2,
  scale: 'high',
  prepare: ({ pod }) => {
    const terms = pod.spec?.affinity?.nodeAffinity?.preferredDuringSchedulingIgnoredDuringExecution ?? [];
    if (terms.length === 0) return undefined;
    return ({ node }) =>
      terms.reduce((sum, { weight, preference }) => sum + (matchesNodeSelectorTerm(preference, node) ? weight : 0), 0);
  },
};

/** The share of cpu and memory that would be left free. */
export const leastAllocated: ScorePlugin = {
  name: 'NodeResourcesFit',
  weight: 1,
  scale: 'as-is',
  prepare: (placed) => (node) => {
    const [cpu, memory] = shares(placed, node);
    return ((Math.max(0, 1 - cpu) + Math.max(0, 1 - memory)) / 2) * 100;
  },
};

/** cpu and memory used up evenly, so that neither is left over alone. */
export const balancedAllocation: ScorePlugin = {
  name: 'NodeResourcesBalancedAllocation',
  weight: 1,
  scale: 'as-is',
  prepare: (placed) => (node) => {
    const [cpu, memory] = shares(placed, node).map((share) => Math.min(1, share));
    return (1 - Math.abs((cpu ?? 0) - (memory ?? 0)) / 2) * 100;
  },
};

/** The shares of cpu and memory in use with the pod on the node. */
function shares({ demand }: PlacedPod, { allocatable, estimate }: NodeInfo): [cpu: number, memory: number] {
  const share = (used: number, of: number | undefined) => (of ? used / of : 1);
  return [
    share(estimate.milliCpu + demand.estimate.milliCpu, allocatable.get('cpu')),
    share(estimate.memory + demand.estimate.memory, allocatable.get('memory')),
  ];
}

const MIN_IMAGE_BYTES = 23 * 1024 * 1024;
const MAX_IMAGE_BYTES = 1000 * 1024 * 1024;

/** Nodes that have the images already; an image counts by its size, and more the more nodes have it (so that they do not crowd one). */
export const imageLocality: ScorePlugin = {
  name: 'ImageLocality',
  weight: 1,
  scale: 'as-is',
  prepare: ({ pod }, cluster, nodes) => {
    const containers = pod.spec?.containers ?? [];
    const names = containers.flatMap(({ image }) => (image === undefined ? [] : [normalized(image)]));
    const spread = new Map(
      names.map((name) => [
        name,
        nodes.filter(({ images }) => images.has(name)).length / Math.max(1, cluster.nodeCount),
      ]),
    );
    if ([...spread.values()].every((share) => share === 0)) return undefined;
    return ({ images }) => {
      const bytes = names.reduce((sum, name) => sum + (images.get(name) ?? 0) * (spread.get(name) ?? 0), 0);
      const max = MAX_IMAGE_BYTES * Math.max(1, containers.length);
      const clamped = Math.min(Math.max(bytes, MIN_IMAGE_BYTES), max);
      return ((clamped - MIN_IMAGE_BYTES) / (max - MIN_IMAGE_BYTES)) * 100;
    };
  },
};

/** An image without a tag means 'latest'. */
function normalized(image: string): string {
  return image.lastIndexOf(':') <= image.lastIndexOf('/') ? `${image}:latest` : image;
}
