import { parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads';
import { systemClock } from '@ballast/base';
import { drainWakeFd } from '@ballast/linux';
import { Announcer } from './announcer.ts';
import type { AnnouncerCommand, AnnouncerData, AnnouncerNews } from './announcer-protocol.ts';

/** Entry of the thread. It blocks in poll() and not in Node's event loop; commands wait in the port until the wake-up descriptor says so. */
const port = parentPort;
if (!port) throw new Error('this file is the entry of a worker thread');

const data = workerData as AnnouncerData;
const announcer = new Announcer({
  data,
  incarnation: Date.now(),
  post: (news: AnnouncerNews) => port.postMessage(news),
});

const MAX_WAIT_MS = 1000;

/** False when the thread shall end. */
function obey(command: AnnouncerCommand): boolean {
  switch (command.kind) {
    case 'assign':
      announcer.assign(command, systemClock.monotonicMs());
      return true;
    case 'counts':
      port?.postMessage({
        kind: 'counts',
        request: command.request,
        counts: announcer.counts(),
      } satisfies AnnouncerNews);
      return true;
    case 'stop':
      if (command.handOver) announcer.leave();
      return false;
    default:
      return command satisfies never;
  }
}

let running = true;
while (running) {
  if (announcer.wait(systemClock.monotonicMs(), MAX_WAIT_MS)) drainWakeFd(data.wakeFd);
  for (let message = receiveMessageOnPort(port); message; message = receiveMessageOnPort(port)) {
    running = obey(message.message as AnnouncerCommand) && running;
  }
  if (running) announcer.work(systemClock.monotonicMs());
}
announcer[Symbol.dispose]();
port.close();
