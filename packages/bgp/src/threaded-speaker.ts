import { Worker } from 'node:worker_threads';
import type { Logger } from '@ballast/base';
import type { SessionReport } from './session.ts';
import type { PeerConfig } from './session-config.ts';
import type { RouteChange } from './speaker.ts';
import type { ThreadCommand, ThreadData, ThreadNews } from './thread-protocol.ts';

/** A BGP speaker in a thread of its own; see BgpSpeaker for what the verbs mean. */
export interface ThreadedSpeaker {
  configure(peers: readonly PeerConfig[]): void;
  update(changes: readonly RouteChange[]): void;
  report(): Promise<readonly SessionReport[]>;
  /** With `handOver`, Cease tells peers to drop our routes now; else those with graceful restart keep them for our successor. */
  stop(options: { readonly handOver: boolean }): Promise<void>;
  /** Rejects when the thread fails; resolves when it has ended. */
  readonly done: Promise<void>;
}

export function startThreadedSpeaker(options: {
  readonly logger: Logger;
  readonly listen?: ThreadData['listen'];
  readonly onState?: (report: SessionReport) => void;
}): ThreadedSpeaker {
  const workerData: ThreadData = options.listen ? { listen: options.listen } : {};
  const worker = new Worker(new URL('./speaker-thread.ts', import.meta.url), { workerData });
  const requests = new Map<number, (reports: readonly SessionReport[]) => void>();
  let nextRequest = 1;
  const post = (command: ThreadCommand) => worker.postMessage(command);

  worker.on('message', (news: ThreadNews) => {
    switch (news.kind) {
      case 'state':
        options.onState?.(news.report);
        return;
      case 'report':
        requests.get(news.request)?.(news.reports);
        requests.delete(news.request);
        return;
      case 'log':
        options.logger[news.level](news.event, news.fields);
        return;
      case 'stopped':
        return;
      default:
        news satisfies never;
    }
  });
  const done = new Promise<void>((resolve, reject) => {
    worker.on('error', reject);
    worker.on('exit', () => {
      for (const answer of requests.values()) answer([]);
      resolve();
    });
  });
  done.catch(() => {});

  return {
    done,
    configure: (peers) => post({ kind: 'configure', peers }),
    update: (changes) => post({ kind: 'update', changes }),
    report: () =>
      new Promise((resolve) => {
        const request = nextRequest++;
        requests.set(request, resolve);
        post({ kind: 'report', request });
      }),
    async stop({ handOver }) {
      post({ kind: 'stop', handOver });
      await done.catch(() => {});
    },
  };
}
