import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { composeMessage, parseMessage } from '../wire/codec.ts';
import { formatRecord, makeQuery, makeRecord, makeReply, type ResourceRecord } from '../wire/message.ts';
import { TYPE } from '../wire/registry.ts';
import { ttlOffsets } from '../wire/ttl-offsets.ts';
import { rotateAddresses } from './rotate-addresses.ts';
import { type Lesson, WireCache } from './wire-cache.ts';

const owner = { name: 'www.example.org.', ttl: 60 };

function answerWith(answers: readonly ResourceRecord[]): Uint8Array {
  return composeMessage(makeReply(makeQuery({ name: owner.name, type: TYPE.A }), { answers }));
}

function lesson(name: string, fields: Partial<Lesson> = {}): Lesson {
  const query = composeMessage(makeQuery({ name, type: TYPE.A }, { id: 1 }));
  const bytes = answerWith([makeRecord('A', { name, ttl: 60 }, { address: '192.0.2.1' })]);
  return { query, variants: [bytes], ttlOffsets: ttlOffsets(bytes), reusableMs: 60_000, name, tally: name, ...fields };
}

function find(cache: WireCache, query: Uint8Array, nowMs: number): Buffer | undefined {
  // As in a slot: octets of an earlier datagram stand behind the query.
  const slot = Buffer.alloc(512, 0xee);
  slot.set(query, 32);
  return cache.find(slot, 32, query.length, nowMs);
}

describe('WireCache', () => {
  it('answers the same octets behind any id, with TTLs aged by whole seconds, until the time is over', () => {
    const cache = new WireCache(10);
    const taught = lesson(owner.name);
    cache.learn(taught, 1000);
    const query = Buffer.from(taught.query);
    query.writeUInt16BE(0xabcd, 0);
    const ttlAt = (nowMs: number) => {
      const answer = find(cache, query, nowMs);
      return answer && parseMessage(answer).answers[0]?.ttl;
    };
    assert.deepEqual([1000, 1999, 2000, 31_500, 60_999, 61_000].map(ttlAt), [60, 60, 59, 30, 1, undefined]);
    assert.deepEqual(cache.takeCounts(), [[owner.name, 5]]);
    assert.deepEqual(cache.takeCounts(), []);
  });

  it('any other octet is another question', () => {
    const cache = new WireCache(10);
    const taught = lesson(owner.name);
    cache.learn(taught, 0);
    for (let at = 2; at < taught.query.length; at++) {
      const query = Uint8Array.from(taught.query);
      query[at] = (query[at] ?? 0) ^ 0x20;
      assert.equal(find(cache, query, 0), undefined, `octet ${at}`);
    }
    assert.equal(find(cache, taught.query.subarray(0, -1), 0), undefined);
  });

  it('forgets names and what is below them, and the oldest when it is full', () => {
    const cache = new WireCache(2);
    const [a, b, c] = ['x.a.', 'y.a.', 'b.'].map((name) => lesson(name));
    assert.ok(a && b && c);
    for (const taught of [a, b, c]) cache.learn(taught, 0);
    assert.deepEqual(
      [a, b, c].map(({ query }) => find(cache, query, 0) !== undefined),
      [false, true, true],
    );
    cache.forgetBelow(['a.']);
    assert.deepEqual(
      [b, c].map(({ query }) => find(cache, query, 0) !== undefined),
      [false, true],
    );
    cache.forgetBelow(['.']);
    assert.equal(cache.size, 0);
  });

  it('gives the variants of an answer in turn', () => {
    const cache = new WireCache(2);
    const addresses = ['192.0.2.1', '192.0.2.2', '192.0.2.3'];
    const bytes = answerWith(addresses.map((address) => makeRecord('A', owner, { address })));
    const taught = lesson(owner.name, { variants: rotateAddresses(bytes), ttlOffsets: ttlOffsets(bytes) });
    cache.learn(taught, 0);
    const firsts = [1, 2, 3, 4].map(() => {
      const [record] = parseMessage(find(cache, taught.query, 0) ?? new Uint8Array()).answers;
      return record?.data.kind === 'A' ? record.data.address : undefined;
    });
    assert.deepEqual(firsts, ['192.0.2.2', '192.0.2.3', '192.0.2.1', '192.0.2.2']);
  });
});

describe('rotateAddresses', () => {
  it('keeps a CNAME in front and every record', () => {
    const bytes = answerWith([
      makeRecord('CNAME', owner, { target: 'web.example.org.' }),
      makeRecord('A', { name: 'web.example.org.', ttl: 1 }, { address: '192.0.2.1' }),
      makeRecord('A', { name: 'web.example.org.', ttl: 1 }, { address: '192.0.2.2' }),
    ]);
    const orders = rotateAddresses(bytes).map((variant) => parseMessage(variant).answers.map(formatRecord));
    assert.equal(orders.length, 2);
    assert.deepEqual(orders[1], [orders[0]?.[0], orders[0]?.[2], orders[0]?.[1]]);
  });

  it('any answer keeps its records, each variant with another one first', () => {
    const record = fc.oneof(
      fc.ipV4().map((address) => makeRecord('A', owner, { address })),
      fc.constant(makeRecord('TXT', owner, { texts: ['x'] })),
      fc.constant(makeRecord('CNAME', owner, { target: 'web.example.org.' })),
    );
    fc.assert(
      fc.property(fc.array(record, { maxLength: 6 }), (answers) => {
        const bytes = answerWith(answers);
        const whole = parseMessage(bytes).answers.map(formatRecord).toSorted();
        for (const variant of rotateAddresses(bytes)) {
          assert.deepEqual(parseMessage(variant).answers.map(formatRecord).toSorted(), whole);
          assert.deepEqual(ttlOffsets(variant), ttlOffsets(bytes));
        }
      }),
    );
  });
});
