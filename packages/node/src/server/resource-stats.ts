import type { CriClient } from '../cri/client.ts';
import { LABEL_CONTAINER_NAME, LABEL_POD_NAME, LABEL_POD_NAMESPACE, LABEL_POD_UID } from '../pod/runtime-labels.ts';

export interface ContainerUsage {
  readonly namespace: string;
  readonly pod: string;
  readonly podUid: string;
  readonly container: string;
  readonly cpuSeconds: number;
  readonly workingSetBytes: number;
  readonly timeMs: number;
}

/** What each container uses, from the runtime. */
export async function readUsage(cri: CriClient): Promise<ContainerUsage[]> {
  const { stats } = await cri.listContainerStats({});
  return stats.flatMap(({ attributes, cpu, memory }) => {
    const labels = attributes?.labels ?? {};
    const container = labels[LABEL_CONTAINER_NAME];
    if (container === undefined) return [];
    return [
      {
        namespace: labels[LABEL_POD_NAMESPACE] ?? '',
        pod: labels[LABEL_POD_NAME] ?? '',
        podUid: labels[LABEL_POD_UID] ?? '',
        container,
        cpuSeconds: (cpu?.usageCoreNanoSeconds?.value ?? 0) / 1e9,
        workingSetBytes: memory?.workingSetBytes?.value ?? 0,
        timeMs: Number((cpu?.timestamp ?? 0n) / 1_000_000n),
      },
    ];
  });
}

/** The figures that dashboards and autoscalers read, under the names that kubelet and cAdvisor gave them. */
export function exposeUsage(usage: readonly ContainerUsage[]): string {
  const family = (name: string, type: string, value: (one: ContainerUsage) => number) => [
    `# TYPE ${name} ${type}`,
    ...usage.map(
      (one) => `${name}{container="${one.container}",namespace="${one.namespace}",pod="${one.pod}"} ${value(one)}`,
    ),
  ];
  return `${[
    ...family('container_cpu_usage_seconds_total', 'counter', (one) => one.cpuSeconds),
    ...family('container_memory_working_set_bytes', 'gauge', (one) => one.workingSetBytes),
  ].join('\n')}\n`;
}

/** The part of kubelet's /stats/summary that metrics collectors read. */
export function summarize(nodeName: string, usage: readonly ContainerUsage[], nowMs: number): object {
  const pods = new Map<string, ContainerUsage[]>();
  for (const one of usage) pods.set(one.podUid, [...(pods.get(one.podUid) ?? []), one]);
  const time = new Date(nowMs).toISOString();
  const figures = (all: readonly ContainerUsage[]) => ({
    cpu: { time, usageCoreNanoSeconds: Math.round(all.reduce((sum, one) => sum + one.cpuSeconds, 0) * 1e9) },
    memory: { time, workingSetBytes: all.reduce((sum, one) => sum + one.workingSetBytes, 0) },
  });
  return {
    node: { nodeName, ...figures(usage) },
    pods: [...pods.values()].map((containers) => ({
      podRef: { name: containers[0]?.pod, namespace: containers[0]?.namespace, uid: containers[0]?.podUid },
      containers: containers.map((one) => ({ name: one.container, ...figures([one]) })),
      ...figures(containers),
    })),
  };
}
