import assert from 'node:assert/strict';
import { test } from 'node:test';
import { inflateSync } from 'node:zlib';
import fc from 'fast-check';
import {
  composeControl,
  composeData,
  composeSynStream,
  FrameType,
  type SpdyFrame,
  SpdyFrameParser,
} from './spdy-frame.ts';

test('SPDY/3.1 2.2.2: data frames survive any cutting of the bytes', () => {
  const frames = fc.array(
    fc.record({ streamId: fc.integer({ min: 1, max: 0x7fff_ffff }), data: fc.uint8Array(), fin: fc.boolean() }),
  );
  fc.assert(
    fc.property(frames, fc.integer({ min: 1, max: 9 }), (sent, size) => {
      const bytes = Buffer.concat(sent.map(({ streamId, data, fin }) => composeData(streamId, data, fin)));
      const parser = new SpdyFrameParser();
      const found: SpdyFrame[] = [];
      for (let at = 0; at < bytes.length; at += size) found.push(...parser.push(bytes.subarray(at, at + size)));
      const plain = found.map(
        (frame) => frame.kind === 'data' && { streamId: frame.streamId, data: [...frame.data], fin: frame.fin },
      );
      assert.deepEqual(
        plain,
        sent.map(({ streamId, data, fin }) => ({ streamId, data: [...data], fin })),
      );
    }),
  );
});

test('SPDY/3.1 2.6.1: SYN_STREAM carries its stream id and a header block that any zlib reader takes', () => {
  const first = composeSynStream({ streamId: 1, headers: { streamType: 'error' }, first: true });
  const second = composeSynStream({ streamId: 3, headers: { streamType: 'stdout' }, first: false });
  const payloads = new SpdyFrameParser().push(Buffer.concat([first, second])).map((frame) => {
    assert.ok(frame.kind === 'control' && frame.type === FrameType.synStream);
    return Buffer.from(frame.payload);
  });
  assert.deepEqual(
    payloads.map((payload) => payload.readUInt32BE(0)),
    [1, 3],
  );
  const stream = Buffer.concat([...payloads.map((payload) => payload.subarray(10)), Buffer.from([3, 0])]);
  const blocks = inflateSync(stream, { finishFlush: 2 }).toString('latin1');
  assert.match(blocks, /streamtype[^a-z]+error.*streamtype[^a-z]+stdout$/s);
});

test('another version is refused, other bytes never crash the parser in a strange way', () => {
  assert.throws(() => new SpdyFrameParser().push(Buffer.from([0x80, 2, 0, 1, 0, 0, 0, 0])), { code: 'spdy-malformed' });
  assert.deepEqual(new SpdyFrameParser().push(composeControl(FrameType.ping, 0, Buffer.from([0, 0, 0, 2]))).length, 1);
  fc.assert(
    fc.property(fc.uint8Array(), (bytes) => {
      try {
        new SpdyFrameParser().push(bytes);
      } catch (error) {
        assert.equal((error as { code?: string }).code, 'spdy-malformed');
      }
    }),
  );
});
