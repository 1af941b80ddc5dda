import { ByteReader } from '@ballast/base';
import { TYPE } from './registry.ts';

/**
 * Where the TTL fields of a composed message stand (OPT, whose TTL field holds flags, left out), so that a stored answer can be aged in
 * place. The message must be well formed: it is one that this server wrote.
 */
export function ttlOffsets(bytes: Uint8Array): number[] {
  const reader = new ByteReader(bytes);
  reader.skip(4);
  const questions = reader.u16();
  const records = reader.u16() + reader.u16() + reader.u16();
  for (let i = 0; i < questions; i++) {
    skipName(reader);
    reader.skip(4);
  }
  const offsets: number[] = [];
  for (let i = 0; i < records; i++) {
    skipName(reader);
    const type = reader.u16();
    reader.skip(2);
    if (type !== TYPE.OPT) offsets.push(reader.offset);
    reader.skip(4);
    reader.skip(reader.u16());
  }
  return offsets;
}

function skipName(reader: ByteReader): void {
  for (;;) {
    const length = reader.u8();
    if (length === 0) return;
    if (length >= 0xc0) {
      reader.skip(1);
      return;
    }
    reader.skip(length);
  }
}
