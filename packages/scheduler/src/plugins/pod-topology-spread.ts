import {
  type LabelSelector,
  matchesLabelSelector,
  type Pod,
  podSelectsNode,
  type TopologySpreadConstraint,
  untoleratedTaint,
} from '@ballast/kube';
import type { Cluster } from '../cluster.ts';
import type { NodeInfo } from '../node-info.ts';
import type { FilterPlugin, ScorePlugin } from '../plugin.ts';
import { type CountByNode, ownerUid } from '../pod-counts.ts';
import { countByDomain, domainOf, HOSTNAME, ZONE } from './topology.ts';

const NO_MATCH = "node(s) didn't match pod topology spread constraints";
const NO_LABEL = "node(s) didn't match pod topology spread constraints (missing required label)";

/** Spreading that nobody asked for: over nodes first, then over zones (upstream's system default). */
const DEFAULTS: readonly { readonly topologyKey: string; readonly maxSkew: number }[] = [
  { topologyKey: HOSTNAME, maxSkew: 3 },
  { topologyKey: ZONE, maxSkew: 5 },
];

/** topologySpreadConstraints with DoNotSchedule. */
export const podTopologySpread: FilterPlugin = {
  name: 'PodTopologySpread',
  wakesOn: ['node-added', 'node-changed', 'pod-left', 'pod-changed', 'pod-placed'],
  preemptible: true,
  prepare: ({ pod }, cluster) => {
    const constraints = constraintsOf(pod, 'DoNotSchedule');
    if (constraints.length === 0) return undefined;
    const checks = constraints.map((constraint) => prepareConstraint(pod, constraint, constraints, cluster));
    return (node) => {
      for (const check of checks) {
        const reason = check(node);
        if (reason !== undefined) return [reason];
      }
      return undefined;
    };
  },
};

function prepareConstraint(
  pod: Pod,
  constraint: TopologySpreadConstraint,
  all: readonly TopologySpreadConstraint[],
  cluster: Cluster,
): (node: NodeInfo) => string | undefined {
  const { topologyKey, maxSkew, minDomains = 1 } = constraint;
  const selector = selectorOf(pod, constraint);
  const counts = cluster.countMatching({ namespaces: [pod.metadata.namespace ?? ''], selector });
  const eligible = [...cluster.nodes()].filter(
    (node) => counted(pod, constraint, node) && all.every((other) => domainOf(node, other.topologyKey) !== undefined),
  );
  const domains = countByDomain(eligible, topologyKey, counts);
  const least = domains.size < minDomains ? 0 : Math.min(...domains.values());
  const self = matchesLabelSelector(selector, pod.metadata.labels) ? 1 : 0;
  return (node) => {
    const domain = domainOf(node, topologyKey);
    if (domain === undefined) return NO_LABEL;
    return (domains.get(domain) ?? 0) + self - least > maxSkew ? NO_MATCH : undefined;
  };
}

/** Whether a node's pods are looked at: by default only nodes that the pod may run on as far as affinity goes. */
function counted(pod: Pod, constraint: TopologySpreadConstraint, node: NodeInfo): boolean {
  const byAffinity = constraint.nodeAffinityPolicy !== 'Ignore';
  if (byAffinity && pod.spec && !podSelectsNode(pod.spec, node.node)) return false;
  if (constraint.nodeTaintsPolicy !== 'Honor') return true;
  return untoleratedTaint(node.node.spec?.taints, pod.spec?.tolerations, ['NoSchedule', 'NoExecute']) === undefined;
}

/** Keeps pods of one application apart: the constraints with ScheduleAnyway, or the defaults where a pod has none at all. */
export const podTopologySpreadScore: ScorePlugin = {
  name: 'PodTopologySpread',
  weight: 2,
  scale: 'low',
  prepare: ({ pod }, cluster, nodes) => {
    const own = constraintsOf(pod, 'ScheduleAnyway');
    const preferences =
      (pod.spec?.topologySpreadConstraints?.length ?? 0) > 0
        ? own.map((constraint) => ({
            topologyKey: constraint.topologyKey,
            maxSkew: constraint.maxSkew,
            counts: cluster.countMatching({
              namespaces: [pod.metadata.namespace ?? ''],
              selector: selectorOf(pod, constraint),
            }),
          }))
        : defaultPreferences(pod, cluster);
    if (preferences.length === 0) return undefined;
    const parts = preferences.map(({ topologyKey, maxSkew, counts }) => {
      const domains = countByDomain(nodes, topologyKey, counts);
      // A domain among few matters more than one among many, so that zones count for more than nodes do.
      const weight = Math.log(domains.size + 2);
      return (node: NodeInfo) => {
        const domain = domainOf(node, topologyKey);
        return domain === undefined ? 0 : (domains.get(domain) ?? 0) * weight + (maxSkew - 1);
      };
    });
    return (node) => parts.reduce((sum, part) => sum + part(node), 0);
  },
};

function defaultPreferences(pod: Pod, cluster: Cluster) {
  const counts = siblingCounts(pod, cluster);
  if (!counts) return [];
  return DEFAULTS.map((row) => ({ ...row, counts }));
}

/** Pods of the same controller; for a pod without one, those of the first Service that selects it. */
function siblingCounts(pod: Pod, cluster: Cluster): CountByNode | undefined {
  const owner = ownerUid(pod);
  if (owner !== undefined) return cluster.countOfOwner(owner);
  const [matchLabels] = cluster.serviceSelectorsOf(pod);
  if (!matchLabels) return undefined;
  return cluster.countMatching({ namespaces: [pod.metadata.namespace ?? ''], selector: { matchLabels } });
}

function constraintsOf(pod: Pod, whenUnsatisfiable: string): TopologySpreadConstraint[] {
  return (pod.spec?.topologySpreadConstraints ?? []).filter(
    (constraint) => constraint.whenUnsatisfiable === whenUnsatisfiable,
  );
}

/** The constraint's selector, narrowed to the pod's own values of matchLabelKeys (a Deployment's revision, say). */
function selectorOf(pod: Pod, { labelSelector, matchLabelKeys }: TopologySpreadConstraint): LabelSelector {
  const narrowed = (matchLabelKeys ?? []).flatMap((key) => {
    const value = pod.metadata.labels?.[key];
    return value === undefined ? [] : [{ key, operator: 'In', values: [value] }];
  });
  // Without a selector no pod counts.
  if (!labelSelector) return { matchExpressions: [{ key: '', operator: 'Exists' }] };
  return narrowed.length === 0
    ? labelSelector
    : { ...labelSelector, matchExpressions: [...(labelSelector.matchExpressions ?? []), ...narrowed] };
}
