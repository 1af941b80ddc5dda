import { BinaryReader } from '@bufbuild/protobuf/wire';
import { badRequest } from '../object/failures.ts';

export const PROTOBUF_TYPE = 'application/vnd.kubernetes.protobuf';

/** The four bytes 'k8s\0' in front of every object. */
const MAGIC = Buffer.from([0x6b, 0x38, 0x73, 0x00]);

/** An object on the wire: its type, and its fields still encoded. */
export interface Envelope {
  readonly apiVersion: string;
  readonly kind: string;
  readonly raw: Uint8Array;
}

/** Reads the envelope (runtime.Unknown: typeMeta = 1 {apiVersion = 1, kind = 2}, raw = 2). 400 when it is none. */
export function parseEnvelope(body: Buffer): Envelope {
  if (!body.subarray(0, MAGIC.length).equals(MAGIC))
    throw badRequest('the body is not Kubernetes protobuf: it does not start with k8s\\0');
  let apiVersion = '';
  let kind = '';
  let raw: Uint8Array = new Uint8Array();
  const reader = new BinaryReader(body.subarray(MAGIC.length));
  while (reader.pos < reader.len) {
    const [field, wireType] = reader.tag();
    if (field === 1) {
      const type = new BinaryReader(reader.bytes());
      while (type.pos < type.len) {
        const [part, partType] = type.tag();
        if (part === 1) apiVersion = type.string();
        else if (part === 2) kind = type.string();
        else type.skip(partType);
      }
    } else if (field === 2) raw = reader.bytes();
    else reader.skip(wireType);
  }
  return { apiVersion, kind, raw };
}
