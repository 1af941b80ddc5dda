import { ByteReader } from '@ballast/base';
import { TYPE } from '../wire/registry.ts';

/** Orders that are kept of one answer. */
const MAX_VARIANTS = 8;

/**
 * The same answer with its addresses turned round, one variant for each that may come first. Works on the octets: records of one kind
 * whose owner is a pointer have the same length and mean the same wherever they stand. Just the answer itself when there is nothing to
 * turn.
 */
export function rotateAddresses(bytes: Uint8Array): Uint8Array[] {
  const run = addressRun(bytes);
  if (!run || run.count < 2) return [bytes];
  const { start, octets, count } = run;
  const end = start + count * octets;
  return Array.from({ length: Math.min(count, MAX_VARIANTS) }, (_, turn) => {
    const variant = Uint8Array.from(bytes);
    const cut = start + turn * octets;
    variant.set(bytes.subarray(cut, end), start);
    variant.set(bytes.subarray(start, cut), start + end - cut);
    return variant;
  });
}

/** The addresses at the end of the answer section, all of one family. */
function addressRun(bytes: Uint8Array): { start: number; octets: number; count: number } | undefined {
  const reader = new ByteReader(bytes);
  reader.skip(4);
  const questions = reader.u16();
  const answers = reader.u16();
  reader.skip(4);
  for (let i = 0; i < questions; i++) {
    skipName(reader);
    reader.skip(4);
  }
  let run: { start: number; octets: number; count: number; type: number } | undefined;
  for (let i = 0; i < answers; i++) {
    const start = reader.offset;
    const isPointer = skipName(reader) === 2;
    const type = reader.u16();
    reader.skip(6);
    reader.skip(reader.u16());
    const octets = reader.offset - start;
    const isAddress = isPointer && (type === TYPE.A || type === TYPE.AAAA);
    if (run && (!isAddress || run.type !== type)) return undefined;
    if (isAddress) run = run ? { ...run, count: run.count + 1 } : { start, octets, count: 1, type };
  }
  return run;
}

/** Skips a name and returns how many octets it took. */
function skipName(reader: ByteReader): number {
  const start = reader.offset;
  for (;;) {
    const length = reader.u8();
    if (length >= 0xc0) reader.skip(1);
    else if (length > 0) reader.skip(length);
    if (length === 0 || length >= 0xc0) return reader.offset - start;
  }
}
