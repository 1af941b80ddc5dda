import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { formatIp, type Ip, parseIp, parseIpRange, rangeToCidrs } from '@ballast/base';
import type { Labels } from '@ballast/kube';
import fc from 'fast-check';
import type { Pool } from '../configuration/configuration.ts';
import { type AllocationResult, Allocator } from './allocator.ts';
import { poolSize } from './pool-addresses.ts';
import type { ServiceRequest } from './service-request.ts';

function ip(text: string): Ip {
  const parsed = parseIp(text);
  assert.ok(parsed);
  return parsed;
}

function pool(name: string, addresses: readonly string[], more: Partial<Pool> = {}): Pool {
  return {
    name,
    labels: {},
    ranges: addresses.map((text) => {
      const range = parseIpRange(text);
      assert.ok(range);
      return { text, range, cidrs: rangeToCidrs(range) };
    }),
    autoAssign: true,
    avoidBuggyIps: false,
    allocation: undefined,
    ...more,
  };
}

const limit = (more: Partial<NonNullable<Pool['allocation']>> = {}): Pick<Pool, 'allocation'> => ({
  allocation: {
    priority: Number.POSITIVE_INFINITY,
    namespaces: [],
    namespaceSelectors: [],
    serviceSelectors: [],
    ...more,
  },
});

function request(key: string, more: Partial<ServiceRequest> = {}): ServiceRequest {
  return {
    key,
    namespace: key.split('/')[0] ?? '',
    labels: {},
    families: [4],
    acceptsOneFamily: true,
    addresses: [],
    pool: undefined,
    sharingKey: '',
    backendKey: '',
    ports: ['tcp/80'],
    ...more,
  };
}

function allocator(pools: readonly Pool[], namespaces: Readonly<Record<string, Labels>> = {}): Allocator {
  const made = new Allocator();
  made.configure({ pools, labelsOfNamespace: (name) => namespaces[name] ?? {} });
  return made;
}

/** 'pool: address address' or why not. */
function tell(result: AllocationResult | undefined): string {
  if (!result) return 'nothing';
  return 'why' in result
    ? result.why
    : `${result.allocation.pool}: ${result.allocation.addresses.map(formatIp).join(' ')}`;
}

describe('addresses of a pool', () => {
  test('in order from the first, a freed one is the next', () => {
    const a = allocator([pool('lan', ['10.0.0.1-10.0.0.3'])]);
    assert.deepEqual(
      ['d/a', 'd/b', 'd/c', 'd/d'].map((key) => tell(a.allocate(request(key)))),
      ['lan: 10.0.0.1', 'lan: 10.0.0.2', 'lan: 10.0.0.3', 'no available IPs'],
    );
    a.release('d/b');
    assert.equal(tell(a.allocate(request('d/d'))), 'lan: 10.0.0.2');
  });

  test('avoidBuggyIPs keeps .0 and .255, also when asked for', () => {
    const a = allocator([pool('lan', ['10.0.0.254-10.0.1.1'], { avoidBuggyIps: true })]);
    assert.deepEqual(
      ['d/a', 'd/b', 'd/c'].map((key) => tell(a.allocate(request(key)))),
      ['lan: 10.0.0.254', 'lan: 10.0.1.1', 'no available IPs'],
    );
    assert.match(tell(a.allocate(request('d/c', { addresses: [ip('10.0.0.255')] }))), /not allowed in config/);
    assert.deepEqual(a.useOf('lan'), { size: { 4: 2, 6: 0 }, used: { 4: 2, 6: 0 } });
  });

  test('H2: sizes: 256 in a /24, and a large IPv6 prefix counts as the largest int64', () => {
    assert.deepEqual(poolSize(pool('a', ['10.0.0.0/24', '2001:db8::/124'])), { 4: 256, 6: 16 });
    assert.deepEqual(poolSize(pool('a', ['10.0.0.0/24'], { avoidBuggyIps: true })), { 4: 254, 6: 0 });
    assert.equal(poolSize(pool('a', ['2001:db8::/64']))[6], Number(2n ** 63n - 1n));
  });

  test('ten thousand Services do not take quadratic time', () => {
    const a = allocator([pool('lan', ['10.0.0.0/16'])]);
    const startedMs = performance.now();
    for (let i = 0; i < 10_000; i++) a.allocate(request(`d/s${i}`));
    assert.ok(performance.now() - startedMs < 2000);
    assert.equal(a.useOf('lan')?.used[4], 10_000);
  });
});

describe('which pool', () => {
  test('C17: a named pool is used even without autoAssign, and only that one', () => {
    const a = allocator([pool('a', ['10.0.0.1/32']), pool('b', ['10.1.0.1/32'], { autoAssign: false })]);
    assert.equal(tell(a.allocate(request('d/x', { pool: 'b' }))), 'b: 10.1.0.1');
    assert.equal(tell(a.allocate(request('d/y'))), 'a: 10.0.0.1');
    assert.equal(tell(a.allocate(request('d/z'))), 'no available IPs');
    assert.equal(tell(a.allocate(request('d/z', { pool: 'c' }))), 'unknown pool "c"');
  });

  const byPriority = [
    pool('open', ['10.9.0.1/32']),
    pool('low', ['10.2.0.1/32'], limit({ priority: 20 })),
    pool('high', ['10.1.0.1/32'], limit({ priority: 10 })),
  ];
  test('C7b: the best priority first, then the next, pools without a limit last', () => {
    const a = allocator(byPriority);
    assert.deepEqual(
      ['d/a', 'd/b', 'd/c'].map((key) => tell(a.allocate(request(key)))),
      ['high: 10.1.0.1', 'low: 10.2.0.1', 'open: 10.9.0.1'],
    );
  });

  const limited: readonly [string, Pick<Pool, 'allocation'>][] = [
    ['C7a: namespaces by name', limit({ namespaces: ['team'] })],
    ['C7f: namespaces by label', limit({ namespaceSelectors: [{ matchLabels: { owner: 'team' } }] })],
    ['C7d: Services by label', limit({ serviceSelectors: [{ matchLabels: { app: 'web' } }] })],
    ['C7e: both', limit({ namespaces: ['team'], serviceSelectors: [{ matchLabels: { app: 'web' } }] })],
    [
      'C7c: namespaces by name or by label',
      limit({ namespaces: ['elsewhere'], namespaceSelectors: [{ matchLabels: { owner: 'team' } }] }),
    ],
  ];
  for (const [name, allocation] of limited) {
    test(`${name}: those go there, others do not, not even when they ask for the pool`, () => {
      const a = allocator([pool('own', ['10.1.0.0/24'], allocation), pool('open', ['10.9.0.0/24'])], {
        team: { owner: 'team' },
      });
      assert.match(tell(a.allocate(request('team/x', { labels: { app: 'web' } }))), /^own: /);
      assert.match(tell(a.allocate(request('other/y'))), /^open: /);
      assert.match(tell(a.allocate(request('other/z', { pool: 'own' }))), /not compatible/);
      assert.match(tell(a.allocate(request('other/z', { addresses: [ip('10.1.0.77')] }))), /not compatible/);
    });
  }

  test('a namespace selector that matches no namespace lets nobody in', () => {
    const a = allocator([
      pool('own', ['10.1.0.0/24'], limit({ namespaceSelectors: [{ matchLabels: { owner: 'nobody' } }] })),
    ]);
    assert.equal(tell(a.allocate(request('d/x'))), 'no available IPs');
  });
});

describe('two families', () => {
  const dual = (key: string, more: Partial<ServiceRequest> = {}) => request(key, { families: [4, 6], ...more });
  const v4 = pool('v4', ['10.0.0.0/24']);
  const v6 = pool('v6', ['2001:db8:1::/64']);
  const both = pool('zz-both', ['10.2.0.0/24', '2001:db8:2::/64']);

  test('C9: PreferDualStack picks the pool that has both', () => {
    assert.equal(tell(allocator([v4, v6, both]).allocate(dual('d/a'))), 'zz-both: 10.2.0.0 2001:db8:2::');
  });

  test('C10, C11: of single pools, the one of the first family', () => {
    assert.equal(tell(allocator([v4, v6]).allocate(dual('d/a'))), 'v4: 10.0.0.0');
    assert.equal(tell(allocator([v4, v6]).allocate(dual('d/a', { families: [6, 4] }))), 'v6: 2001:db8:1::');
  });

  test('RequireDualStack is not content with one', () => {
    assert.equal(tell(allocator([v4, v6]).allocate(dual('d/a', { acceptsOneFamily: false }))), 'no available IPs');
  });

  test('C12: a pool that gains a family completes its Services, the first address unchanged', () => {
    const a = allocator([pool('lan', ['10.0.0.0/24'])]);
    a.allocate(dual('d/a'));
    assert.match(tell(a.complete(dual('d/a'))), /no available IPs/);
    a.configure({ pools: [pool('lan', ['10.0.0.0/24', '2001:db8::/64'])], labelsOfNamespace: () => ({}) });
    assert.equal(tell(a.complete(dual('d/a'))), 'lan: 10.0.0.0 2001:db8::');
  });
});

describe('sharing', () => {
  const shared = (key: string, more: Partial<ServiceRequest> = {}) => request(key, { sharingKey: 'k', ...more });
  const address = { addresses: [ip('10.0.0.5')] };
  const lan = pool('lan', ['10.0.0.0/24']);

  test('equal keys and different ports share, and find each other without asking for the address', () => {
    const a = allocator([lan]);
    assert.equal(tell(a.allocate(shared('d/a', { ...address }))), 'lan: 10.0.0.5');
    assert.equal(tell(a.allocate(shared('d/b', { ports: ['udp/80'] }))), 'lan: 10.0.0.5');
    assert.equal(a.useOf('lan')?.used[4], 1);
  });

  const refused: readonly [string, Partial<ServiceRequest>, RegExp][] = [
    [
      'another key',
      { sharingKey: 'other', ports: ['tcp/81'] },
      /can't change sharing key for "d\/b", address "10.0.0.5" also in use by d\/a/,
    ],
    ['no key', { sharingKey: '', ports: ['tcp/81'] }, /can't change sharing key/],
    ['the same port', {}, /port tcp\/80 is already in use on "10.0.0.5"/],
    ['C4: policy Local beside Cluster', { backendKey: 'app=web', ports: ['tcp/81'] }, /can't change sharing key/],
  ];
  for (const [name, more, why] of refused) {
    test(`${name}: refused`, () => {
      const a = allocator([lan]);
      a.allocate(shared('d/a', address));
      assert.match(tell(a.allocate(shared('d/b', { ...address, ...more }))), why);
    });
  }

  test('the only user of an address may change its key', () => {
    const a = allocator([lan]);
    a.allocate(shared('d/a', address));
    assert.equal(tell(a.assign(shared('d/a', { sharingKey: 'new' }), address.addresses)), 'lan: 10.0.0.5');
  });

  test('the address is free only when the last user has gone', () => {
    const a = allocator([pool('one', ['10.0.0.5/32'])]);
    a.allocate(shared('d/a'));
    a.allocate(shared('d/b', { ports: ['tcp/81'] }));
    a.release('d/a');
    assert.equal(tell(a.allocate(request('d/c'))), 'no available IPs');
    a.release('d/b');
    assert.equal(tell(a.allocate(request('d/c'))), 'one: 10.0.0.5');
  });
});

test('after any sequence of requests and releases, no address has two users who do not share it', () => {
  const step = fc.record({
    key: fc.constantFrom('d/a', 'd/b', 'd/c', 'd/d', 'd/e'),
    act: fc.constantFrom('allocate', 'release'),
    sharingKey: fc.constantFrom('', 'k', 'l'),
    ports: fc.constantFrom(['tcp/80'], ['tcp/81'], ['udp/80']),
    wanted: fc.constantFrom('', '10.0.0.1', '10.0.0.2'),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const a = allocator([pool('lan', ['10.0.0.1-10.0.0.3'])]);
      const held = new Map<string, ServiceRequest>();
      for (const { key, act, sharingKey, ports, wanted } of steps) {
        const asked = request(key, { sharingKey, ports, addresses: wanted === '' ? [] : [ip(wanted)] });
        if (act === 'release') {
          a.release(key);
          held.delete(key);
        } else if ('allocation' in a.allocate(asked)) held.set(key, asked);
        const users = [...held].map(([user, of]) => ({
          of,
          address: formatIp(a.allocationOf(user)?.addresses[0] ?? assert.fail('lost')),
        }));
        for (const one of users) {
          for (const two of users) {
            if (one.of.key === two.of.key || one.address !== two.address) continue;
            assert.ok(
              one.of.sharingKey !== '' &&
                one.of.sharingKey === two.of.sharingKey &&
                one.of.ports[0] !== two.of.ports[0],
            );
          }
        }
        assert.equal(a.useOf('lan')?.used[4], new Set(users.map(({ address }) => address)).size);
      }
    }),
    { numRuns: 300 },
  );
});
