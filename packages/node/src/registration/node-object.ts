import type { Node, NodeCondition, NodeStatus, Taint } from '@ballast/kube';
import { timestampOf } from '../pod/status.ts';
import type { Machine, Pressure } from './machine.ts';

export const MAX_PODS = 110;

export interface NodeIdentity {
  readonly nodeName: string;
  readonly nodeIps: readonly string[];
  readonly labels: Readonly<Record<string, string>>;
  readonly taints: readonly Taint[];
  /** Port of the agent's own API. */
  readonly port: number;
  /** For example v1.36.0+ballast.0.1.0. */
  readonly version: string;
}

/** What the runtime says of itself. */
export interface RuntimeHealth {
  readonly name: string;
  readonly version: string;
  readonly runtimeReady: boolean;
  readonly networkReady: boolean;
  readonly message: string;
}

/** The labels that every node carries. */
export function nodeLabels(identity: NodeIdentity, machine: Machine): Record<string, string> {
  return {
    'kubernetes.io/hostname': identity.nodeName,
    'kubernetes.io/os': 'linux',
    'kubernetes.io/arch': machine.architecture,
    'beta.kubernetes.io/os': 'linux',
    'beta.kubernetes.io/arch': machine.architecture,
    ...identity.labels,
  };
}

/** A Node as it is registered. Its taints are only those of the configuration: the rest is the controllers' business. */
export function newNode(identity: NodeIdentity, machine: Machine): Node {
  return {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: {
      name: identity.nodeName,
      labels: nodeLabels(identity, machine),
      annotations: { 'volumes.kubernetes.io/controller-managed-attach-detach': 'true' },
    },
    spec: identity.taints.length > 0 ? { taints: [...identity.taints] } : {},
  };
}

/** Part of the memory is kept for the system; pods may have the rest. */
const RESERVED_MEMORY_BYTES = 100 * 1024 * 1024;

export function allocatableOf(machine: Machine): { milliCpu: number; memoryBytes: number; ephemeralBytes: number } {
  return {
    milliCpu: machine.milliCpu,
    memoryBytes: Math.max(0, machine.memoryBytes - RESERVED_MEMORY_BYTES),
    ephemeralBytes: Math.floor(machine.ephemeralBytes * 0.9),
  };
}

function quantities(amounts: { milliCpu: number; memoryBytes: number; ephemeralBytes: number }) {
  return {
    cpu: amounts.milliCpu % 1000 === 0 ? String(amounts.milliCpu / 1000) : `${amounts.milliCpu}m`,
    memory: `${Math.floor(amounts.memoryBytes / 1024)}Ki`,
    'ephemeral-storage': `${Math.floor(amounts.ephemeralBytes / 1024)}Ki`,
    pods: String(MAX_PODS),
    'hugepages-2Mi': '0',
    'hugepages-1Gi': '0',
  };
}

interface Verdict {
  readonly type: string;
  readonly status: 'True' | 'False';
  readonly reason: string;
  readonly message: string;
}

function verdicts(health: RuntimeHealth, pressure: Pressure): Verdict[] {
  const pressureOf = (type: string, under: boolean, resource: string): Verdict => {
    const [have, less] = [`KubeletHasSufficient${resource}`, `KubeletHasInsufficient${resource}`];
    const words = resource === 'PID' ? 'PID' : resource === 'Memory' ? 'memory' : 'disk';
    return under
      ? { type, status: 'True', reason: less, message: `kubelet has insufficient ${words} available` }
      : { type, status: 'False', reason: have, message: `kubelet has sufficient ${words} available` };
  };
  const disk = pressureOf('DiskPressure', pressure.disk, 'Disk');
  const ready = health.runtimeReady && health.networkReady;
  return [
    pressureOf('MemoryPressure', pressure.memory, 'Memory'),
    pressure.disk
      ? { ...disk, reason: 'KubeletHasDiskPressure', message: 'kubelet has disk pressure' }
      : { ...disk, reason: 'KubeletHasNoDiskPressure', message: 'kubelet has no disk pressure' },
    pressureOf('PIDPressure', false, 'PID'),
    ready
      ? { type: 'Ready', status: 'True', reason: 'KubeletReady', message: 'kubelet is posting ready status' }
      : {
          type: 'Ready',
          status: 'False',
          reason: 'KubeletNotReady',
          message: health.message || 'container runtime not ready',
        },
  ];
}

/** The status of a node. Conditions keep the time of their last change; those of others (network plugins) stay. */
export function nodeStatus(options: {
  readonly identity: NodeIdentity;
  readonly machine: Machine;
  readonly health: RuntimeHealth;
  readonly pressure: Pressure;
  readonly old: NodeStatus;
  readonly nowMs: number;
}): NodeStatus {
  const { identity, machine, health, pressure, old, nowMs } = options;
  const now = timestampOf(nowMs);
  const conditions = verdicts(health, pressure).map((verdict): NodeCondition => {
    const before = old.conditions?.find(({ type }) => type === verdict.type);
    const lastTransitionTime = before?.status === verdict.status ? (before.lastTransitionTime ?? now) : now;
    return { ...verdict, lastHeartbeatTime: now, lastTransitionTime };
  });
  const ours = new Set(conditions.map(({ type }) => type));
  return {
    capacity: quantities(machine),
    allocatable: quantities(allocatableOf(machine)),
    conditions: [...conditions, ...(old.conditions ?? []).filter(({ type }) => !ours.has(type))],
    addresses: [
      ...identity.nodeIps.map((address) => ({ type: 'InternalIP', address })),
      { type: 'Hostname', address: identity.nodeName },
    ],
    daemonEndpoints: { kubeletEndpoint: { Port: identity.port } },
    nodeInfo: {
      machineID: machine.machineId,
      systemUUID: machine.systemUuid,
      bootID: machine.bootId,
      kernelVersion: machine.kernelVersion,
      osImage: machine.osImage,
      containerRuntimeVersion: `${health.name}://${health.version}`,
      kubeletVersion: identity.version,
      kubeProxyVersion: '',
      operatingSystem: 'linux',
      architecture: machine.architecture,
    },
  };
}

/** True when a status says something new; heartbeat times alone are not news. */
export function isNews(old: NodeStatus, status: NodeStatus): boolean {
  const strip = ({ conditions, ...rest }: NodeStatus) => ({
    ...rest,
    conditions: (conditions ?? []).map(({ type, status: value, reason, message }) => [type, value, reason, message]),
  });
  const [before, after] = [strip(old), strip(status)];
  const relevant = Object.fromEntries(Object.keys(after).map((key) => [key, Reflect.get(before, key) as unknown]));
  return JSON.stringify(canonical(relevant)) !== JSON.stringify(canonical(after));
}

/** The same content gives the same text, whatever the order of members. */
function canonical(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(canonical);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, member]) => [key, canonical(member)]),
  );
}
