/** One record of a container log in the CRI format: time, stream, tags, content. */
export interface LogRecord {
  /** RFC 3339 with nanoseconds, as written by the runtime. */
  readonly timestamp: string;
  readonly stream: 'stdout' | 'stderr';
  /** The line goes on in the next record of the same stream. */
  readonly partial: boolean;
  readonly content: Uint8Array;
}

const SPACE = 0x20;

/** Parses one line, without its newline: `2026-01-02T03:04:05.123456789Z stdout F hello`. Undefined for what is not of that form. */
export function parseLogRecord(line: Uint8Array): LogRecord | undefined {
  const first = line.indexOf(SPACE);
  const second = line.indexOf(SPACE, first + 1);
  if (first <= 0 || second < 0) return undefined;
  let third = line.indexOf(SPACE, second + 1);
  if (third < 0) third = line.length;
  const text = Buffer.from(line.buffer, line.byteOffset, line.byteLength);
  const timestamp = text.toString('latin1', 0, first);
  const stream = text.toString('latin1', first + 1, second);
  const tags = text.toString('latin1', second + 1, third);
  if (stream !== 'stdout' && stream !== 'stderr') return undefined;
  if (!/^\d{4}-\d\d-\d\dT/.test(timestamp)) return undefined;
  return { timestamp, stream, partial: tags.split(':')[0] === 'P', content: line.subarray(third + 1) };
}

const NEWLINE = 0x0a;

/** Cuts a stream of bytes into lines. */
export class LineSplitter {
  #rest: Uint8Array = new Uint8Array();

  /** The lines that `chunk` completes, without their newlines. */
  push(chunk: Uint8Array): Uint8Array[] {
    const bytes = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    const lines: Uint8Array[] = [];
    let start = 0;
    for (let end = bytes.indexOf(NEWLINE); end >= 0; end = bytes.indexOf(NEWLINE, start)) {
      lines.push(bytes.subarray(start, end));
      start = end + 1;
    }
    // A copy, because the chunk's memory may be used again by the reader.
    this.#rest = Uint8Array.prototype.slice.call(bytes, start);
    return lines;
  }
}

export interface LogSelection {
  readonly timestamps?: boolean;
  /** Records before this time are left out; wall-clock ms. */
  readonly sinceMs?: number | undefined;
  /** Bytes of output after which it ends. */
  readonly limitBytes?: number | undefined;
  readonly stream?: 'All' | 'Stdout' | 'Stderr' | undefined;
}

/** Turns records into what `kubectl logs` shows. */
export class LogFormatter {
  readonly #selection: LogSelection;
  #left: number;
  /** The last record of each stream was partial, so that the next one goes on with its line. */
  readonly #continues = { stdout: false, stderr: false };

  constructor(selection: LogSelection) {
    this.#selection = selection;
    this.#left = selection.limitBytes ?? Number.POSITIVE_INFINITY;
  }

  /** True once the byte limit is used up. */
  get isFull(): boolean {
    return this.#left <= 0;
  }

  format(record: LogRecord): Uint8Array | undefined {
    const { sinceMs, stream = 'All', timestamps } = this.#selection;
    if (stream !== 'All' && stream.toLowerCase() !== record.stream) return undefined;
    if (sinceMs !== undefined && Date.parse(record.timestamp) < sinceMs) return undefined;
    const parts: Uint8Array[] = [];
    if (timestamps && !this.#continues[record.stream]) parts.push(Buffer.from(`${record.timestamp} `));
    parts.push(record.content);
    if (!record.partial) parts.push(Buffer.from('\n'));
    this.#continues[record.stream] = record.partial;
    const bytes = Buffer.concat(parts);
    const allowed = bytes.subarray(0, Math.max(0, this.#left));
    this.#left -= bytes.length;
    return allowed.length > 0 ? allowed : undefined;
  }
}
