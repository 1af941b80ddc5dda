/**
 * The thread that owns a UDP socket. It waits in poll(2), takes datagrams in batches, answers those whose octets it knows, and hands the
 * others to the main thread, which answers them on the same socket and may teach the answer. The thread never returns to its event loop
 * while it runs: messages are fetched between batches.
 */
import { type MessagePort, parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads';
import { drainWakeFd, UdpBatch } from '@ballast/linux';
import { HEADER_OCTETS } from '../wire/codec.ts';
import { WireCache } from './wire-cache.ts';
import type { Miss, ToMain, ToWorker, WorkerSetup } from './worker-messages.ts';

/** Batches without a look at the other descriptors, so that a flood on the socket cannot hold up the main thread's messages. */
const BATCHES_PER_POLL = 16;
const REPORT_MS = 1000;

function run(port: MessagePort, { socketFd, wakeFd, cacheEntries, posted }: WorkerSetup): void {
  const batch = new UdpBatch(socketFd);
  const cache = new WireCache(cacheEntries);
  const post = (message: ToMain) => port.postMessage(message);
  let reportMs = performance.now() + REPORT_MS;
  let isRunning = true;

  let fetched = 0;
  /** Asking the port costs more than a look at the counter of what was posted to it. */
  const fetchMessages = (): void => {
    const count = Atomics.load(posted, 0);
    if (count === fetched) return;
    fetched = count;
    for (let next = receiveMessageOnPort(port); next; next = receiveMessageOnPort(port)) {
      const message: ToWorker = next.message;
      if (message.kind === 'learn') cache.learn(message.lesson, performance.now());
      else if (message.kind === 'forget') cache.forgetBelow(message.names);
      else isRunning = false;
    }
  };
  const report = (nowMs: number): void => {
    if (nowMs < reportMs) return;
    reportMs = nowMs + REPORT_MS;
    const counts = cache.takeCounts();
    if (counts.length > 0) post({ kind: 'counts', counts });
  };

  while (isRunning) {
    const { hasDatagrams, isWoken } = batch.wait(wakeFd, REPORT_MS);
    if (isWoken) drainWakeFd(wakeFd);
    fetchMessages();
    if (hasDatagrams) {
      for (let i = 0; i < BATCHES_PER_POLL && answerBatch(batch, cache, post) === batch.slots; i++) fetchMessages();
    }
    report(performance.now());
  }
  reportMs = 0;
  report(performance.now());
  post({ kind: 'stopped' });
}

/** Answers one batch and returns how many datagrams it had. */
function answerBatch(batch: UdpBatch, cache: WireCache, post: (message: ToMain) => void): number {
  const count = batch.receive();
  const nowMs = performance.now();
  const { input, output } = batch;
  let misses: Miss[] | undefined;
  for (let slot = 0; slot < count; slot++) {
    const length = batch.inputLength(slot);
    if (length < HEADER_OCTETS) continue;
    const offset = batch.inputOffset(slot);
    const answer = cache.find(input, offset, length, nowMs);
    if (answer) {
      const to = batch.queue(slot, answer.length);
      output[to] = input[offset] ?? 0;
      output[to + 1] = input[offset + 1] ?? 0;
      answer.copy(output, to + 2, 2);
    } else {
      misses ??= [];
      misses.push({ bytes: Uint8Array.from(input.subarray(offset, offset + length)), ...batch.origin(slot) });
    }
  }
  batch.flush();
  if (misses) post({ kind: 'misses', misses });
  return count;
}

if (parentPort) run(parentPort, workerData);
