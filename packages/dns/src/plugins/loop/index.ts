import { createSocket, type Socket } from 'node:dgram';
import { isIPv6 } from 'node:net';
import { definePlugin } from '../../chain/plugin.ts';
import { failure } from '../../chain/query.ts';
import { directive } from '../../syntax/directive.ts';
import { composeMessage } from '../../wire/codec.ts';
import { makeQuery } from '../../wire/message.ts';
import { TYPE } from '../../wire/registry.ts';

const syntax = directive({
  summary: 'Finds out whether forwarded queries come back to this server, and then breaks the circle.',
  args: [],
  options: {},
});

/** A probe is sent at this pace until it went out, for as long. */
const RETRY_MS = 500;
const MAX_ATTEMPTS = 60;
/** Long enough after the probe for a circle to have closed. */
const SETTLE_MS = 2000;
/** The probe itself is seen once; twice more and it came back. */
const SEEN_IN_LOOP = 2;

/** `loop`: see README.md. */
export const loop = definePlugin({
  name: 'loop',
  syntax,
  allowsReuse: true,
  create([{ place }], { zones, keys, clock, random, logger, status }) {
    const zone = zones[0] ?? '.';
    const label = () => String(Math.floor(random() * 1e12));
    const name = `${label()}.${label()}.${zone === '.' ? '' : zone}`;
    let seen = 0;
    let isLoop = false;
    let isWatching = true;
    let timer: Disposable | undefined;
    let socket: Socket | undefined;

    const finish = () => {
      isWatching = false;
      timer?.[Symbol.dispose]();
      socket?.close();
      socket = undefined;
    };
    const probe = (attempt: number) => {
      const at = status.listenAddress(keys[0]?.port ?? 53);
      if (!at) {
        if (attempt < MAX_ATTEMPTS) timer = clock.timer(RETRY_MS, () => probe(attempt + 1));
        return;
      }
      socket = createSocket(isIPv6(at.host) ? 'udp6' : 'udp4');
      socket.on('error', () => {});
      const query = makeQuery({ name, type: TYPE.HINFO }, { id: Math.floor(random() * 0x10000) });
      socket.send(composeMessage(query), at.port, at.host, () => {
        if (isWatching) timer = clock.timer(SETTLE_MS, finish);
      });
    };
    return {
      async handle(query, next) {
        if (isWatching && query.type === TYPE.HINFO && query.name === name) {
          seen += 1;
          if (seen > SEEN_IN_LOOP && !isLoop) {
            isLoop = true;
            logger.error('forwarding loop: queries that this server forwards come back to it', {
              zone,
              at: `${place.file}:${place.line}`,
              effect: 'names that only the upstream knows get SERVFAIL; other names are answered',
              hint: 'let `forward` in this block name an upstream other than this server (often the loopback address in resolv.conf)',
            });
          }
        }
        // What stands behind `loop` in the chain is `forward`: going on would multiply every query.
        if (isLoop) return failure('loop', 'SERVFAIL');
        return next(query);
      },
      async start() {
        timer = clock.timer(0, () => probe(1));
      },
      async stop() {
        finish();
      },
    };
  },
});
