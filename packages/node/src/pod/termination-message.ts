import { open } from 'node:fs/promises';

const MAX_FILE_BYTES = 4096;
const MAX_LOG_BYTES = 2048;
const MAX_LOG_LINES = 80;

async function readTail(path: string, bytes: number): Promise<Buffer> {
  const file = await open(path, 'r');
  try {
    const { size } = await file.stat();
    const length = Math.min(size, bytes);
    const buffer = Buffer.alloc(length);
    await file.read(buffer, 0, length, size - length);
    return buffer;
  } finally {
    await file.close();
  }
}

/** What a container left in its termination log, or, if it failed without a word and asked for it, the end of its log. */
export async function readTerminationMessage(options: {
  readonly file: string;
  readonly logFile: string;
  readonly fallBackToLogs: boolean;
}): Promise<string> {
  // Never the whole file: a container may write as much into it as the disk holds.
  const words = await readTail(options.file, MAX_FILE_BYTES).catch(() => Buffer.alloc(0));
  const text = words.toString('utf8');
  if (text !== '' || !options.fallBackToLogs) return text;
  const tail = await readTail(options.logFile, 4 * MAX_LOG_BYTES).catch(() => Buffer.alloc(0));
  const lines = tail
    .toString('utf8')
    .split('\n')
    .map((line) => /^\S+ (?:stdout|stderr) \S+ (.*)$/.exec(line)?.[1])
    .filter((line) => line !== undefined);
  return `${lines.slice(-MAX_LOG_LINES).join('\n')}\n`.slice(-MAX_LOG_BYTES);
}
