import { aborted, type Clock, type Logger, MetricsRegistry, type Running, runInBackground } from '@ballast/base';
import { EventRecorder, type KubeClient } from '@ballast/kube';
import { type Controller, DEFAULT_NODE_TIMINGS, type NodeTimings } from './controller.ts';
import { EventWriter } from './event-writer.ts';
import { Informers } from './informers.ts';
import { CONTROLLERS } from './list.ts';

export interface ControllersOptions {
  readonly client: KubeClient;
  readonly logger: Logger;
  readonly clock: Clock;
  /** '10.42.0.0/16', or one prefix of each family separated by a comma. */
  readonly clusterCidr: string;
  /** Prefix length of a node's podCIDR, default 24. */
  readonly nodeCidrPrefixLength?: number;
  readonly clusterCaPem: string;
  readonly metrics?: MetricsRegistry;
  readonly nodes?: Partial<NodeTimings>;
  /** Which loops to run, by name; all of them by default. */
  readonly only?: readonly string[];
}

/** Starts the control loops. When one of them fails for good, so does the whole: whoever supervises it starts it anew. */
export function startControllers(options: ControllersOptions): Running {
  const { client, clock, logger } = options;
  return runInBackground(async (signal) => {
    await using informers = new Informers({ client, logger, clock });
    const recorder = new EventRecorder({ client, clock, logger, component: 'ballast-controllers' });
    const context = {
      client,
      clock,
      logger,
      informers,
      events: new EventWriter(recorder),
      metrics: options.metrics ?? new MetricsRegistry(),
      settings: {
        clusterCidr: options.clusterCidr,
        nodeCidrPrefixLength: options.nodeCidrPrefixLength ?? 24,
        clusterCaPem: options.clusterCaPem,
        nodes: { ...DEFAULT_NODE_TIMINGS, ...options.nodes },
      },
    };
    const wanted = ({ name }: Controller) => options.only === undefined || options.only.includes(name);
    await using loops = new AsyncDisposableStack();
    const started = CONTROLLERS.filter(wanted).map((controller) => loops.use(controller.start(context)));
    const stopped = aborted(signal);
    await Promise.race([stopped, ...started.map(({ done }) => done)]);
  });
}
