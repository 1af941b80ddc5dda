import { METRICS_CONTENT_TYPE } from '@ballast/base';
import type { MountedRoute } from '../../chain/http-endpoints.ts';
import { definePlugin } from '../../chain/plugin.ts';
import { RequestMetrics } from '../../chain/request-metrics.ts';
import { optional } from '../../syntax/argument.ts';
import { directive, option } from '../../syntax/directive.ts';
import { listenAddress } from '../../syntax/value.ts';

const syntax = directive({
  summary: 'Counts queries and shows all metrics over HTTP at /metrics, under the names CoreDNS gives them.',
  args: [optional('ADDRESS', listenAddress, { otherwise: { host: '127.0.0.1', port: 9153 } })],
  options: {
    runtime_metrics: option('Adds memory and uptime of the process.'),
  },
});

/** `prometheus`: see README.md. */
export const prometheus = definePlugin({
  name: 'prometheus',
  syntax,
  allowsReuse: true,
  create([{ args, options }], { http, metrics, server, clock }) {
    const [address] = args;
    const requests = new RequestMetrics(metrics);
    metrics
      .gauge({ name: 'build_info', help: 'The version of the server.', labels: ['version', 'revision', 'goversion'] })
      .set(1, ['ballast-0.1.0', '', '']);
    const startedMs = clock.monotonicMs();
    const runtime = options.runtime_metrics
      ? {
          memory: metrics.gauge({ name: 'process_resident_memory_bytes', help: 'Memory of the process.' }),
          uptime: metrics.gauge({ name: 'process_uptime_seconds', help: 'Since the plugin was set up.' }),
        }
      : undefined;
    let route: MountedRoute | undefined;
    return {
      observe: (observation) => requests.count(observation, server, observation.query.zone),
      async start() {
        route = await http.mount(address, '/metrics', () => {
          runtime?.memory.set(process.memoryUsage.rss());
          runtime?.uptime.set((clock.monotonicMs() - startedMs) / 1000);
          return { status: 200, contentType: METRICS_CONTENT_TYPE, body: metrics.registry.expose() };
        });
      },
      async stop() {
        await route?.unmount();
      },
    };
  },
});
