import type { MountedRoute } from '../../chain/http-endpoints.ts';
import { DURATION_BUCKETS } from '../../chain/metrics.ts';
import { definePlugin } from '../../chain/plugin.ts';
import { one, optional } from '../../syntax/argument.ts';
import { directive, option } from '../../syntax/directive.ts';
import { duration, listenAddress } from '../../syntax/value.ts';

const syntax = directive({
  summary: 'Answers /health over HTTP as long as the process lives.',
  args: [optional('ADDRESS', listenAddress, { otherwise: { host: '', port: 8080 } })],
  options: {
    lameduck: option(
      'On shutdown, keeps answering for this long, so that clients move away first.',
      one('DURATION', duration()),
    ),
  },
});

const POLL_MS = 1000;
const POLL_TIMEOUT_MS = 3000;

/** `health`: see README.md. */
export const health = definePlugin({
  name: 'health',
  syntax,
  allowsReuse: true,
  create([{ args, options }], { http, clock, logger, metrics }) {
    const [address] = args;
    const lameduckMs = options.lameduck?.[0] ?? 0;
    const durations = metrics.histogram({
      name: 'health_request_duration_seconds',
      help: 'How long the server takes to answer its own health check.',
      buckets: DURATION_BUCKETS,
    });
    const failures = metrics.counter({
      name: 'health_request_failures_total',
      help: 'Own health checks that failed.',
    });
    let route: MountedRoute | undefined;
    let timer: Disposable | undefined;
    const stopped = new AbortController();

    /** A process too busy to answer itself shows in the metrics before clients notice. */
    const poll = async () => {
      const at = route?.address();
      if (at) {
        const host =
          at.host === '::' || at.host === '0.0.0.0' ? 'localhost' : at.host.includes(':') ? `[${at.host}]` : at.host;
        const startMs = clock.monotonicMs();
        const signal = AbortSignal.any([stopped.signal, AbortSignal.timeout(POLL_TIMEOUT_MS)]);
        try {
          const response = await fetch(`http://${host}:${at.port}/health`, { signal });
          await response.body?.cancel();
          durations.observe((clock.monotonicMs() - startMs) / 1000);
        } catch {
          if (!stopped.signal.aborted) failures.inc();
        }
      }
      if (!stopped.signal.aborted) timer = clock.timer(POLL_MS, () => void poll());
    };
    return {
      async start() {
        route = await http.mount(address, '/health', () => ({ status: 200, contentType: 'text/plain', body: 'OK' }));
        timer = clock.timer(POLL_MS, () => void poll());
      },
      async linger() {
        if (lameduckMs === 0) return;
        logger.info('lameduck: still answering before shutdown', { milliseconds: lameduckMs });
        await clock.sleep(lameduckMs);
      },
      async stop() {
        stopped.abort();
        timer?.[Symbol.dispose]();
        await route?.unmount();
      },
    };
  },
});
