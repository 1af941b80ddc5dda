import { podSelectsNode, type Taint, tolerates, untoleratedTaint } from '@ballast/kube';
import { portsCollide } from '../demand.ts';
import type { FilterPlugin } from '../plugin.ts';

const UNSCHEDULABLE: Taint = { key: 'node.kubernetes.io/unschedulable', effect: 'NoSchedule' };

export const nodeUnschedulable: FilterPlugin = {
  name: 'NodeUnschedulable',
  wakesOn: ['node-added', 'node-changed'],
  preemptible: false,
  prepare: ({ pod }) => {
    if (pod.spec?.tolerations?.some((toleration) => tolerates(toleration, UNSCHEDULABLE))) return undefined;
    return ({ node }) => (node.spec?.unschedulable ? ['node(s) were unschedulable'] : undefined);
  },
};

export const nodeAffinity: FilterPlugin = {
  name: 'NodeAffinity',
  wakesOn: ['node-added', 'node-changed'],
  preemptible: false,
  prepare: ({ pod }) => {
    const { spec } = pod;
    if (!spec?.nodeSelector && !spec?.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution) {
      return undefined;
    }
    return ({ node }) =>
      podSelectsNode(spec, node) ? undefined : ["node(s) didn't match Pod's node affinity/selector"];
  },
};

export const taintToleration: FilterPlugin = {
  name: 'TaintToleration',
  wakesOn: ['node-added', 'node-changed'],
  preemptible: false,
  prepare: ({ pod }) => {
    return ({ node }) => {
      const taint = untoleratedTaint(node.spec?.taints, pod.spec?.tolerations, ['NoSchedule', 'NoExecute']);
      return taint && [`node(s) had untolerated taint {${taint.key}: ${taint.value ?? ''}}`];
    };
  },
};

export const nodePorts: FilterPlugin = {
  name: 'NodePorts',
  wakesOn: ['node-added', 'pod-left'],
  preemptible: true,
  prepare: ({ demand }) => {
    if (demand.hostPorts.length === 0) return undefined;
    return ({ hostPorts }) =>
      demand.hostPorts.some((wanted) => hostPorts.some((taken) => portsCollide(wanted, taken)))
        ? ["node(s) didn't have free ports for the requested pod ports"]
        : undefined;
  },
};

export const nodeResourcesFit: FilterPlugin = {
  name: 'NodeResourcesFit',
  wakesOn: ['node-added', 'node-changed', 'pod-left'],
  preemptible: true,
  prepare: ({ demand }) => {
    const wanted = [...demand.requests].filter(([, value]) => value > 0);
    return ({ allocatable, requested, podCount }) => {
      const reasons: string[] = [];
      if (podCount + 1 > (allocatable.get('pods') ?? Number.POSITIVE_INFINITY)) reasons.push('Too many pods');
      for (const [name, value] of wanted) {
        if (value > (allocatable.get(name) ?? 0) - (requested.get(name) ?? 0)) reasons.push(`Insufficient ${name}`);
      }
      return reasons.length > 0 ? reasons : undefined;
    };
  },
};
