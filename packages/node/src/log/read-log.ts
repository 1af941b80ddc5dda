import { watch } from 'node:fs';
import { type FileHandle, open, stat } from 'node:fs/promises';
import type { Clock } from '@ballast/base';
import { LineSplitter, LogFormatter, type LogSelection, parseLogRecord } from './cri-log.ts';

export interface ReadLogOptions extends LogSelection {
  readonly path: string;
  readonly tailLines?: number | undefined;
  readonly follow: boolean;
  /** Asked when a followed log is at its end: false ends it. */
  readonly isRunning: () => Promise<boolean>;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

const CHUNK = 64 * 1024;
const NEWLINE = 0x0a;
/** When the file system tells nothing, a followed log is looked at this often. */
const POLL_MS = 500;

/** Where the last `lines` lines of a file begin. */
export async function tailOffset(file: FileHandle, size: number, lines: number): Promise<number> {
  if (lines <= 0) return size;
  const buffer = Buffer.alloc(CHUNK);
  let left = lines + 1;
  for (let end = size; end > 0; ) {
    const start = Math.max(0, end - CHUNK);
    const { bytesRead } = await file.read(buffer, 0, end - start, start);
    const part = buffer.subarray(0, bytesRead);
    for (let at = part.lastIndexOf(NEWLINE); at >= 0; at = at === 0 ? -1 : part.lastIndexOf(NEWLINE, at - 1)) {
      left -= 1;
      if (left === 0) return start + at + 1;
    }
    end = start;
  }
  return 0;
}

/** The log of a container as `kubectl logs` wants it, chunk by chunk. A followed log survives its rotation. */
export async function* readLog(options: ReadLogOptions): AsyncGenerator<Uint8Array> {
  const { path, follow, signal, clock } = options;
  const formatter = new LogFormatter(options);
  const splitter = new LineSplitter();
  let file = await open(path, 'r');
  const changes = follow ? watchFile(path) : undefined;
  try {
    let position = 0;
    if (options.tailLines !== undefined) {
      const { size } = await file.stat();
      position = await tailOffset(file, size, options.tailLines);
    }
    const buffer = Buffer.alloc(CHUNK);
    while (!signal.aborted) {
      const changed = changes?.next();
      const { bytesRead } = await file.read(buffer, 0, CHUNK, position);
      if (bytesRead > 0) {
        position += bytesRead;
        const parts: Uint8Array[] = [];
        for (const line of splitter.push(buffer.subarray(0, bytesRead))) {
          const record = parseLogRecord(line);
          const formatted = record ? formatter.format(record) : undefined;
          if (formatted) parts.push(Buffer.from(formatted));
          if (formatter.isFull) break;
        }
        if (parts.length > 0) yield Buffer.concat(parts);
        if (formatter.isFull) return;
        continue;
      }
      if (!follow) return;
      if (await wasReplaced(file, path)) {
        await file.close();
        file = await open(path, 'r');
        position = 0;
        continue;
      }
      // What was written between the last read and the end of the container must still be read.
      if (!(await options.isRunning())) {
        if ((await file.stat()).size > position) continue;
        return;
      }
      await Promise.race([changed, clock.sleep(POLL_MS, signal).catch(() => {})]);
    }
  } finally {
    changes?.stop();
    await file.close();
  }
}

async function wasReplaced(file: FileHandle, path: string): Promise<boolean> {
  const [own, now] = await Promise.all([file.stat(), stat(path).catch(() => undefined)]);
  return now !== undefined && now.ino !== own.ino;
}

function watchFile(path: string): { next(): Promise<void>; stop(): void } {
  let waiting = Promise.withResolvers<void>();
  const watcher = watch(path, { persistent: false }, () => {
    waiting.resolve();
    waiting = Promise.withResolvers();
  });
  watcher.on('error', () => {});
  return { next: () => waiting.promise, stop: () => watcher.close() };
}
