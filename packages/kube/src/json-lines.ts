/** Most bytes that one line may have: above the largest object an API server accepts, below what would hurt. */
const MAX_LINE_BYTES = 64 * 1024 * 1024;

const NEWLINE = 10;

/** Splits a byte stream at newlines, as watch streams are framed. Blank lines are skipped, a last line without newline is yielded. */
export async function* readLines(stream: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  let parts: Uint8Array[] = [];
  let size = 0;
  const take = (last: Uint8Array): string => {
    const line = Buffer.concat([...parts, last])
      .toString('utf8')
      .trim();
    parts = [];
    size = 0;
    return line;
  };
  for await (const chunk of stream) {
    let start = 0;
    for (;;) {
      const end = chunk.indexOf(NEWLINE, start);
      if (end < 0) break;
      const line = take(chunk.subarray(start, end));
      if (line !== '') yield line;
      start = end + 1;
    }
    if (start < chunk.length) {
      parts.push(chunk.subarray(start));
      size += chunk.length - start;
      if (size > MAX_LINE_BYTES) throw new Error(`a line of the stream is longer than ${MAX_LINE_BYTES} bytes`);
    }
  }
  const line = take(new Uint8Array());
  if (line !== '') yield line;
}
