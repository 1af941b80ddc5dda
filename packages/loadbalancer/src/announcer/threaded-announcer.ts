import { Worker } from 'node:worker_threads';
import { closeFd, openWakeFd, wake } from '@ballast/linux';
import type { AddressCounts } from '@ballast/neighbor';
import type { AnnouncerCommand, AnnouncerData, AnnouncerNews } from './announcer-protocol.ts';

export interface ThreadedAnnouncer {
  assign(assignment: Omit<Extract<AnnouncerCommand, { kind: 'assign' }>, 'kind'>): void;
  counts(): Promise<Readonly<Record<string, AddressCounts>>>;
  /** See AnnouncerCommand 'stop'. Resolves when the thread has ended. */
  stop(options: { readonly handOver: boolean }): Promise<void>;
  /** Rejects when the thread fails. */
  readonly done: Promise<void>;
}

export function startThreadedAnnouncer(
  options: Omit<AnnouncerData, 'wakeFd'> & {
    readonly onNews: (news: Exclude<AnnouncerNews, { kind: 'counts' }>) => void;
  },
): ThreadedAnnouncer {
  const { onNews, ...rest } = options;
  const wakeFd = openWakeFd();
  const workerData: AnnouncerData = { ...rest, wakeFd };
  const worker = new Worker(new URL('./announcer-thread.ts', import.meta.url), { workerData });
  const requests = new Map<number, (counts: Readonly<Record<string, AddressCounts>>) => void>();
  let nextRequest = 1;
  let ended = false;
  const post = (command: AnnouncerCommand) => {
    if (ended) return;
    worker.postMessage(command);
    wake(wakeFd);
  };
  worker.on('message', (news: AnnouncerNews) => {
    if (news.kind !== 'counts') {
      onNews(news);
      return;
    }
    requests.get(news.request)?.(news.counts);
    requests.delete(news.request);
  });
  const done = new Promise<void>((resolve, reject) => {
    worker.on('error', reject);
    worker.on('exit', () => {
      ended = true;
      closeFd(wakeFd);
      for (const answer of requests.values()) answer({});
      resolve();
    });
  });
  done.catch(() => {});
  return {
    done,
    assign: (assignment) => post({ kind: 'assign', ...assignment }),
    counts: () =>
      new Promise((resolve) => {
        if (ended) {
          resolve({});
          return;
        }
        const request = nextRequest++;
        requests.set(request, resolve);
        post({ kind: 'counts', request });
      }),
    async stop({ handOver }) {
      post({ kind: 'stop', handOver });
      await done.catch(() => {});
    },
  };
}
