import type { FilterPlugin, ScorePlugin } from '../plugin.ts';
import { interPodAffinity, interPodAffinityScore } from './inter-pod-affinity.ts';
import { nodeAffinity, nodePorts, nodeResourcesFit, nodeUnschedulable, taintToleration } from './node-fit.ts';
import {
  balancedAllocation,
  imageLocality,
  leastAllocated,
  nodeAffinityScore,
  taintTolerationScore,
} from './node-scores.ts';
import { podTopologySpread, podTopologySpreadScore } from './pod-topology-spread.ts';

/** In this order: the first that refuses a node gives the reason, and cheap ones come first. */
export const FILTERS: readonly FilterPlugin[] = [
  nodeUnschedulable,
  taintToleration,
  nodeAffinity,
  nodePorts,
  nodeResourcesFit,
  podTopologySpread,
  interPodAffinity,
];

/** With upstream's weights. */
export const SCORES: readonly ScorePlugin[] = [
  taintTolerationScore,
  nodeAffinityScore,
  leastAllocated,
  podTopologySpreadScore,
  interPodAffinityScore,
  balancedAllocation,
  imageLocality,
];
