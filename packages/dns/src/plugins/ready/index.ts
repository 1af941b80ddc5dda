import type { MountedRoute } from '../../chain/http-endpoints.ts';
import { definePlugin } from '../../chain/plugin.ts';
import { one, optional } from '../../syntax/argument.ts';
import { directive, option } from '../../syntax/directive.ts';
import { listenAddress, oneOf } from '../../syntax/value.ts';

const syntax = directive({
  summary: 'Answers /ready over HTTP once every plugin is ready to answer queries.',
  args: [optional('ADDRESS', listenAddress, { otherwise: { host: '', port: 8181 } })],
  options: {
    monitor: option(
      'until-ready: a plugin that was ready once stays so; continuously: it is asked each time.',
      one('MODE', oneOf('until-ready', 'continuously')),
    ),
  },
});

/** `ready`: see README.md. */
export const ready = definePlugin({
  name: 'ready',
  syntax,
  allowsReuse: true,
  create([{ args, options }], { http, status }) {
    const [address] = args;
    const continuously = options.monitor?.[0] === 'continuously';
    let route: MountedRoute | undefined;
    let wasReady = false;
    const answer = () => {
      const unready = wasReady && !continuously ? [] : status.unready();
      wasReady ||= unready.length === 0;
      const body = status.isStopping ? 'Shutting down' : unready.length === 0 ? 'OK' : unready.toSorted().join(',');
      return { status: body === 'OK' ? 200 : 503, contentType: 'text/plain', body };
    };
    return {
      async start() {
        route = await http.mount(address, '/ready', answer);
      },
      async stop() {
        await route?.unmount();
      },
    };
  },
});
