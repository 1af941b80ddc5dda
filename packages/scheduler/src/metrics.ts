import type { MetricsRegistry } from '@ballast/base';

const SECONDS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

/** Named as in upstream's kube-scheduler. */
export function schedulerMetrics(registry: MetricsRegistry, pending: () => { active: number; all: number }) {
  registry.gaugeOf(
    { name: 'scheduler_pending_pods', help: 'Pods that wait for a node.', labels: ['queue'] },
    (): [readonly string[], number][] => {
      const { active, all } = pending();
      return [
        [['active'], active],
        [['unschedulable'], all - active],
      ];
    },
  );
  return {
    attempts: registry.counter({
      name: 'scheduler_schedule_attempts_total',
      help: 'Attempts to place a pod, by result.',
      labels: ['result'],
    }),
    decisionSeconds: registry.histogram({
      name: 'scheduler_scheduling_algorithm_duration_seconds',
      help: 'Time to choose a node for one pod.',
      buckets: SECONDS,
    }),
    bindSeconds: registry.histogram({
      name: 'scheduler_binding_duration_seconds',
      help: 'Time of a binding request.',
      buckets: SECONDS,
    }),
    preemptions: registry.counter({
      name: 'scheduler_preemption_victims_total',
      help: 'Pods that were deleted to make room.',
    }),
  };
}
