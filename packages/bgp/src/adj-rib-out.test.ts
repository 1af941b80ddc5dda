import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type Cidr, formatCidr, parseCidr, parseIp } from '@ballast/base';
import fc from 'fast-check';
import { AdjRibOut, composeEndOfRib } from './adj-rib-out.ts';
import type { PathAttributes } from './attributes.ts';
import { FAMILIES, type Family } from './family.ts';
import { parseMessage } from './message.ts';

const CONTEXT = { fourOctetAs: true, internal: false };
const BOTH: ReadonlySet<Family> = new Set(FAMILIES);

function cidr(text: string): Cidr {
  const parsed = parseCidr(text);
  assert.ok(parsed);
  return parsed;
}

function attributes(nextHop: string, med?: number): PathAttributes {
  const ip = parseIp(nextHop);
  assert.ok(ip);
  return {
    origin: 'igp',
    asPath: [{ type: 'sequence', asns: [64513] }],
    nextHop: ip,
    ...(med === undefined ? {} : { med }),
  };
}

/** A peer that believes what it is told: prefix to MED. */
class Listener {
  readonly routes = new Map<string, number | undefined>();
  messages = 0;

  hear(messages: readonly Uint8Array[]): void {
    for (const bytes of messages) {
      this.messages += 1;
      const parsed = parseMessage(bytes, CONTEXT);
      assert.ok(
        parsed.type === 'update' && !parsed.treatAsWithdraw,
        parsed.type === 'update' ? parsed.faults.join() : parsed.type,
      );
      for (const prefix of [...parsed.withdrawn, ...(parsed.attributes.mpUnreach?.prefixes ?? [])]) {
        assert.ok(this.routes.delete(formatCidr(prefix)), 'a route was withdrawn that was never announced');
      }
      for (const prefix of [...parsed.announced, ...(parsed.attributes.mpReach?.prefixes ?? [])]) {
        this.routes.set(formatCidr(prefix), parsed.attributes.med);
      }
    }
  }
}

describe('Adj-RIB-Out', () => {
  test('prefixes with equal attributes share a message', () => {
    const rib = new AdjRibOut();
    for (let i = 0; i < 100; i++)
      rib.announce({ prefix: cidr(`10.0.0.${i}/32`), attributes: attributes('192.0.2.11') });
    const messages = rib.takeUpdates(BOTH, CONTEXT);
    assert.equal(messages.length, 1);
    assert.deepEqual(rib.takeUpdates(BOTH, CONTEXT), []);
  });

  test('ten thousand routes fill messages to 4096 bytes and no further', () => {
    const rib = new AdjRibOut();
    for (let i = 0; i < 10_000; i++)
      rib.announce({ prefix: cidr(`10.${i >> 8}.${i & 255}.0/32`), attributes: attributes('192.0.2.11') });
    const messages = rib.takeUpdates(BOTH, CONTEXT);
    assert.ok(messages.every((bytes) => bytes.length <= 4096));
    assert.equal(messages.length, 13);
    const listener = new Listener();
    listener.hear(messages);
    assert.equal(listener.routes.size, 10_000);
  });

  test('a route that comes and goes between two calls costs nothing, nor does one announced again unchanged', () => {
    const rib = new AdjRibOut();
    rib.announce({ prefix: cidr('10.0.0.1/32'), attributes: attributes('192.0.2.11') });
    rib.withdraw(cidr('10.0.0.1/32'));
    assert.deepEqual(rib.takeUpdates(BOTH, CONTEXT), []);
    rib.announce({ prefix: cidr('10.0.0.2/32'), attributes: attributes('192.0.2.11') });
    rib.takeUpdates(BOTH, CONTEXT);
    rib.announce({ prefix: cidr('10.0.0.2/32'), attributes: attributes('192.0.2.11') });
    assert.deepEqual(rib.takeUpdates(BOTH, CONTEXT), []);
  });

  test('RFC 2918: a refresh repeats one family, and withdrawals that are owed stay owed', () => {
    const rib = new AdjRibOut();
    const listener = new Listener();
    rib.announce({ prefix: cidr('10.0.0.1/32'), attributes: attributes('192.0.2.11') });
    rib.announce({ prefix: cidr('10.0.0.2/32'), attributes: attributes('192.0.2.11') });
    rib.announce({ prefix: cidr('2001:db8::1/128'), attributes: attributes('2001:db8::11') });
    listener.hear(rib.takeUpdates(BOTH, CONTEXT));
    rib.withdraw(cidr('10.0.0.1/32'));
    rib.repeat('ipv4-unicast');
    const before = listener.messages;
    listener.hear(rib.takeUpdates(BOTH, CONTEXT));
    assert.equal(listener.messages - before, 2);
    assert.deepEqual([...listener.routes.keys()].sort(), ['10.0.0.2/32', '2001:db8::1/128']);
  });

  test('RFC 4724: End-of-RIB of both families', () => {
    for (const family of FAMILIES) {
      const parsed = parseMessage(composeEndOfRib(family), CONTEXT);
      assert.equal(parsed.type === 'update' && parsed.endOfRib, family);
    }
  });

  test('after any sequence of changes the peer knows exactly what was wanted', () => {
    const prefix = fc.constantFrom('10.0.0.1/32', '10.0.0.2/32', '10.1.0.0/16', '2001:db8::1/128', '2001:db8::/48');
    const step = fc.oneof(
      fc.record({ kind: fc.constant('announce' as const), prefix, med: fc.integer({ min: 0, max: 2 }) }),
      fc.record({ kind: fc.constant('withdraw' as const), prefix }),
      fc.record({ kind: fc.constant('take' as const) }),
      fc.record({ kind: fc.constant('repeat' as const), family: fc.constantFrom(...FAMILIES) }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        const rib = new AdjRibOut();
        const listener = new Listener();
        const wanted = new Map<string, number>();
        for (const one of steps) {
          if (one.kind === 'announce') {
            const nextHop = one.prefix.includes(':') ? '2001:db8::11' : '192.0.2.11';
            rib.announce({ prefix: cidr(one.prefix), attributes: attributes(nextHop, one.med) });
            wanted.set(one.prefix, one.med);
          } else if (one.kind === 'withdraw') {
            rib.withdraw(cidr(one.prefix));
            wanted.delete(one.prefix);
          } else if (one.kind === 'repeat') rib.repeat(one.family);
          else listener.hear(rib.takeUpdates(BOTH, CONTEXT));
        }
        listener.hear(rib.takeUpdates(BOTH, CONTEXT));
        assert.deepEqual(new Map([...listener.routes].sort()), new Map([...wanted].sort()));
      }),
      { numRuns: 300 },
    );
  });
});
