import { parentPort, workerData } from 'node:worker_threads';
import { type Logger, systemClock } from '@ballast/base';
import { BgpSpeaker } from './speaker.ts';
import type { ThreadCommand, ThreadData, ThreadNews } from './thread-protocol.ts';

/** Entry of the thread that owns all BGP sockets and timers, so that a busy main thread never lets a hold timer expire. */
const port = parentPort;
if (!port) throw new Error('this file is the entry of a worker thread');

const post = (news: ThreadNews) => port.postMessage(news);
const log =
  (level: 'debug' | 'info' | 'warn' | 'error') => (event: string, fields?: Readonly<Record<string, unknown>>) =>
    post({ kind: 'log', level, event, fields: fields ?? {} });
const logger: Logger = {
  debug: log('debug'),
  info: log('info'),
  warn: log('warn'),
  error: log('error'),
  child: () => logger,
};

const data = workerData as ThreadData;
const speaker = new BgpSpeaker({
  clock: systemClock,
  logger,
  onState: (report) => post({ kind: 'state', report }),
  ...(data.listen ? { listen: data.listen } : {}),
});

/** Time for Cease to leave the sockets before the thread ends. */
const LINGER_MS = 100;

port.on('message', (command: ThreadCommand) => {
  switch (command.kind) {
    case 'configure':
      speaker.configure(command.peers);
      return;
    case 'update':
      speaker.update(command.changes);
      return;
    case 'report':
      post({ kind: 'report', request: command.request, reports: speaker.report() });
      return;
    case 'stop':
      void speaker.stop({ handOver: command.handOver }).then(() =>
        systemClock.timer(LINGER_MS, () => {
          post({ kind: 'stopped' });
          port.close();
        }),
      );
      return;
    default:
      command satisfies never;
  }
});
