import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { run, runAnyExit } from '@ballast/linux';
import { kernelDataplane } from './dataplane.ts';
import type { Container, Element, Family } from './element.ts';
import { rememberChainScript, skeleton } from './ruleset.ts';

/** What we write over netlink is what nft reads, and what nft writes is what we read. */
describe('kernel', { skip: process.getuid?.() === 0 ? false : 'needs root for network namespaces' }, () => {
  const netns = `bpx-${process.pid}-kernel`;
  let dataplane: ReturnType<typeof kernelDataplane>;
  const nft = (...args: string[]) => run('ip', ['netns', 'exec', netns, 'nft', ...args]);

  before(async () => {
    await run('ip', ['netns', 'add', netns]);
    dataplane = kernelDataplane({ netns });
    await dataplane.apply(skeleton(4, { podCidrs: ['10.42.0.0/16'], serviceCidrs: ['10.43.0.0/16'] }));
    await dataplane.apply(skeleton(6, { podCidrs: ['fd42::/48'], serviceCidrs: ['fd43::/112'] }));
    for (const family of [4, 6] as const) await dataplane.apply(rememberChainScript(family, 60));
  });
  after(async () => {
    dataplane?.[Symbol.dispose]();
    await runAnyExit('ip', ['netns', 'delete', netns]);
  });

  /** Address 1 and 2 of a family as frontends, 3 as endpoint. */
  const samples = (family: Family): Element[] => {
    const [vip, endpoint, range] =
      family === 4 ? ['10.43.0.1', '10.42.0.3', '198.51.100.0/24'] : ['fd43::1', 'fd42::3', '2001:db8:1::/64'];
    const element = (container: Container, key: string, value = ''): Element => ({ container, key, value });
    return [
      element('frontends', `${vip} . tcp . 80`, 'goto pick-2'),
      element('frontends', `${vip} . udp . 65535`, 'drop'),
      element('frontends', `${vip} . sctp . 1`, 'goto refuse'),
      element('endpoints', `${vip} . tcp . 80 . 0`, `${endpoint} . 8080`),
      element('endpoints', `${vip} . tcp . 80 . 65535`, `${endpoint} . 65535`),
      element('local-endpoints', `${vip} . udp . 53 . 7`, `${endpoint} . 53`),
      element('local-policy', `${vip} . tcp . 80`, 'goto pick-local-1'),
      element('short-circuit', `${vip} . tcp . 80`, 'goto pick-16'),
      element('external', `${vip} . tcp . 80`, 'goto rewrite-source'),
      element('sticky', `${vip} . tcp . 80`, 'goto remember-60'),
      element('restricted', `${vip} . tcp . 80`),
      element('source-ranges', `${vip} . tcp . 80 . ${range}`),
      element('source-ranges', `${vip} . tcp . 81 . ${endpoint}`),
      element('cluster-ips', vip ?? ''),
      element('load-balancer-ips', vip ?? ''),
      element('hairpin', `${endpoint} . ${endpoint}`),
    ];
  };

  for (const family of [4, 6] as const) {
    const table = [family === 4 ? 'ip' : 'ip6', 'ballast-proxy'] as const;
    const listed = async (container: string) => {
      const noun = /restricted|ranges|ips|hairpin/.test(container) ? 'set' : 'map';
      const text = await nft('list', noun, ...table, container);
      const elements = /elements = \{([^}]*)\}/.exec(text)?.[1] ?? '';
      return elements
        .split(',')
        .map((each) => each.trim().replace(/\s+/g, ' '))
        .filter((each) => each !== '')
        .toSorted();
    };

    test(`family ${family}: nft lists what was written over netlink`, async () => {
      dataplane.change(samples(family).map((element) => ({ op: 'add', family, element })));
      for (const container of new Set(samples(family).map((element) => element.container))) {
        const wanted = samples(family)
          .filter((element) => element.container === container)
          .map(({ key, value }) => (value === '' ? key : `${key} : ${value}`))
          .toSorted();
        assert.deepEqual(await listed(container), wanted, container);
      }
    });

    test(`family ${family}: nothing differs from what was written, and what nft changes is put right`, async () => {
      assert.equal(await dataplane.reconcile(family, samples(family)), 0);
      const [vip, endpoint] = family === 4 ? ['10.43.0.1', '10.42.0.9'] : ['fd43::1', 'fd42::9'];
      const script = [
        `delete element ${table.join(' ')} endpoints { ${vip} . tcp . 80 . 0 }`,
        `add element ${table.join(' ')} endpoints { ${vip} . tcp . 80 . 0 : ${endpoint} . 1 }`,
        `delete element ${table.join(' ')} cluster-ips { ${vip} }`,
        `add element ${table.join(' ')} frontends { ${vip} . tcp . 4 : drop }`,
      ];
      await dataplane.apply(script.join('\n'));
      assert.equal(await dataplane.reconcile(family, samples(family)), 3);
      assert.equal(await dataplane.reconcile(family, samples(family)), 0);
    });

    test(`family ${family}: all is deleted again`, async () => {
      dataplane.change(samples(family).map((element) => ({ op: 'delete', family, element })));
      assert.deepEqual(await listed('frontends'), []);
      assert.equal(await dataplane.reconcile(family, []), 0);
    });

    test(`family ${family}: the rules that remember clients are what nft understands by them`, async () => {
      dataplane.fillRememberChain(family, 60);
      const text = await nft('list', 'chain', ...table, 'remember-60');
      const ip = family === 4 ? 'ip' : 'ip6';
      assert.equal(text.match(/update @affinity/g)?.length, 3, text);
      assert.ok(
        text.includes(`${ip} saddr . ct original ${ip} daddr . meta l4proto . ct original proto-dst timeout 1m`),
        text,
      );
    });
  }

  test('a refused transaction changes nothing, and says why', async () => {
    const [first, ...rest] = samples(4);
    assert.ok(first);
    assert.throws(
      () =>
        dataplane.change([
          { op: 'add', family: 4, element: first },
          { op: 'delete', family: 4, element: { container: 'cluster-ips', key: '10.43.9.9', value: '' } },
        ]),
      /ENOENT/,
    );
    assert.equal(await dataplane.reconcile(4, []), 0);
    assert.ok(rest.length > 0);
  });

  test('more elements than fit into one message are written', async () => {
    const many = Array.from({ length: 5000 }, (_, i): Element => {
      const key = `10.43.${i >> 8}.${i & 255} . tcp . 80 . 0`;
      return { container: 'endpoints', key, value: '10.42.0.1 . 80' };
    });
    dataplane.change(many.map((element) => ({ op: 'add', family: 4, element })));
    assert.equal(await dataplane.reconcile(4, many), 0);
    assert.equal(await dataplane.reconcile(4, []), 5000);
  });

  test('the seal and the digest of the rules tell a table of ours', async () => {
    assert.equal(dataplane.readSeal(4), undefined);
    const digest = dataplane.rulesDigest(4);
    dataplane.seal(4, digest);
    assert.equal(dataplane.readSeal(4), digest);
    const generation = dataplane.generation();
    await nft('add', 'rule', 'ip', 'ballast-proxy', 'refuse', 'counter');
    assert.notEqual(dataplane.rulesDigest(4), digest);
    assert.equal(dataplane.generation(), generation + 1);
  });
});
