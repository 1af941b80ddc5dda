import type { LabelSelector, Pod, PodAffinityTerm } from '@ballast/kube';
import type { Cluster } from '../cluster.ts';
import type { NodeInfo } from '../node-info.ts';
import type { FilterPlugin, ScorePlugin } from '../plugin.ts';
import { matchesQuery, type PodQuery } from '../pod-counts.ts';
import { countByDomain, domainOf } from './topology.ts';

const NO_AFFINITY = "node(s) didn't match pod affinity rules";
const ANTI_AFFINITY = "node(s) didn't match pod anti-affinity rules";
const REFUSED = "node(s) didn't satisfy existing pods anti-affinity rules";

/** Required affinity and anti-affinity to other pods, both ways: a pod that is there may refuse the new one as well. */
export const interPodAffinity: FilterPlugin = {
  name: 'InterPodAffinity',
  wakesOn: ['node-added', 'node-changed', 'pod-left', 'pod-changed', 'pod-placed', 'namespace-changed'],
  preemptible: true,
  prepare: ({ pod }, cluster) => {
    const affinity = pod.spec?.affinity?.podAffinity?.requiredDuringSchedulingIgnoredDuringExecution ?? [];
    const antiAffinity = pod.spec?.affinity?.podAntiAffinity?.requiredDuringSchedulingIgnoredDuringExecution ?? [];
    const refusals = refusalsOf(pod, cluster);
    if (affinity.length === 0 && antiAffinity.length === 0 && refusals.length === 0) return undefined;
    const nodes = [...cluster.nodes()];
    const near = affinity.map((term) => ({
      ...domainsOf(pod, term, cluster, nodes),
      query: queryOf(pod, term, cluster),
    }));
    const far = antiAffinity.map((term) => domainsOf(pod, term, cluster, nodes));
    // The first of a group that wants to be together has nobody to join yet.
    const isFirst =
      near.every(({ domains }) => [...domains.values()].every((count) => count === 0)) &&
      near.every(({ query }) => matchesQuery(query, pod));
    return (node) => {
      for (const { topologyKey, domains } of near) {
        const domain = domainOf(node, topologyKey);
        if (domain === undefined || (!isFirst && (domains.get(domain) ?? 0) === 0)) return [NO_AFFINITY];
      }
      for (const { topologyKey, domains } of far) {
        const domain = domainOf(node, topologyKey);
        if (domain !== undefined && (domains.get(domain) ?? 0) > 0) return [ANTI_AFFINITY];
      }
      for (const { topologyKey, domain } of refusals) if (domainOf(node, topologyKey) === domain) return [REFUSED];
      return undefined;
    };
  },
};

/** The domains that pods which are there keep free of pods like this one. */
function refusalsOf(pod: Pod, cluster: Cluster): { readonly topologyKey: string; readonly domain: string }[] {
  const refusals = new Map<string, { topologyKey: string; domain: string }>();
  for (const { pod: other, node } of cluster.antiAffinePods()) {
    const info = cluster.node(node);
    if (!info) continue;
    for (const term of other.spec?.affinity?.podAntiAffinity?.requiredDuringSchedulingIgnoredDuringExecution ?? []) {
      const domain = domainOf(info, term.topologyKey);
      const key = `${term.topologyKey} ${domain}`;
      if (domain === undefined || refusals.has(key)) continue;
      if (matchesQuery(queryOf(other, term, cluster), pod))
        refusals.set(key, { topologyKey: term.topologyKey, domain });
    }
  }
  return [...refusals.values()];
}

function domainsOf(pod: Pod, term: PodAffinityTerm, cluster: Cluster, nodes: readonly NodeInfo[]) {
  const counts = cluster.countMatching(queryOf(pod, term, cluster));
  return { topologyKey: term.topologyKey, domains: countByDomain(nodes, term.topologyKey, counts) };
}

/** Which pods a term of `owner` is about. Without any namespaces: those of its own. */
function queryOf(owner: Pod, term: PodAffinityTerm, cluster: Cluster): PodQuery {
  const { namespaces = [], namespaceSelector } = term;
  const selector = narrowed(owner, term);
  if (!namespaceSelector) {
    return { namespaces: namespaces.length > 0 ? namespaces : [owner.metadata.namespace ?? ''], selector };
  }
  const everywhere = Object.keys(namespaceSelector).length === 0;
  return {
    namespaces: everywhere ? undefined : [...namespaces, ...cluster.namespacesMatching(namespaceSelector)],
    selector,
  };
}

function narrowed(owner: Pod, { labelSelector, matchLabelKeys, mismatchLabelKeys }: PodAffinityTerm): LabelSelector {
  if (!labelSelector) return { matchExpressions: [{ key: '', operator: 'Exists' }] };
  const requirement = (operator: 'In' | 'NotIn') => (key: string) => {
    const value = owner.metadata.labels?.[key];
    return value === undefined ? [] : [{ key, operator, values: [value] }];
  };
  const added = [
    ...(matchLabelKeys ?? []).flatMap(requirement('In')),
    ...(mismatchLabelKeys ?? []).flatMap(requirement('NotIn')),
  ];
  if (added.length === 0) return labelSelector;
  return { ...labelSelector, matchExpressions: [...(labelSelector.matchExpressions ?? []), ...added] };
}

/** Preferred affinity draws a pod to the domains of others, preferred anti-affinity drives it away. */
export const interPodAffinityScore: ScorePlugin = {
  name: 'InterPodAffinity',
  weight: 2,
  scale: 'high',
  prepare: ({ pod }, cluster, nodes) => {
    const { podAffinity, podAntiAffinity } = pod.spec?.affinity ?? {};
    const weighted = [
      ...(podAffinity?.preferredDuringSchedulingIgnoredDuringExecution ?? []).map((term) => ({ ...term, sign: 1 })),
      ...(podAntiAffinity?.preferredDuringSchedulingIgnoredDuringExecution ?? []).map((term) => ({
        ...term,
        sign: -1,
      })),
    ];
    if (weighted.length === 0) return undefined;
    const parts = weighted.map(({ weight, podAffinityTerm, sign }) => ({
      factor: weight * sign,
      ...domainsOf(pod, podAffinityTerm, cluster, nodes),
    }));
    return (node) =>
      parts.reduce((sum, { factor, topologyKey, domains }) => {
        const domain = domainOf(node, topologyKey);
        return domain === undefined ? sum : sum + factor * (domains.get(domain) ?? 0);
      }, 0);
  },
};
