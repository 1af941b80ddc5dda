import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { test } from 'node:test';
import type { Family } from './element.ts';
import { FakeNft } from './fake-nft.ts';
import { elementsOf, type Frontend } from './frontend.ts';
import { type Networks, skeleton, TABLE, tableFamily } from './ruleset.ts';
import { SIZE_CLASSES } from './slots.ts';

const NETWORKS: Readonly<Record<Family, Networks>> = {
  4: { podCidrs: ['10.42.0.0/16'], serviceCidrs: ['10.43.0.0/16'] },
  6: { podCidrs: ['fd42::/48'], serviceCidrs: ['fd43::/112'] },
};

/** The rules as a person reads them; of the many pick chains only the first, one shared by a size class, and the count. */
function readable(family: Family): string {
  const nft = new FakeNft();
  nft.apply(skeleton(family, NETWORKS[family]));
  const chains = [...nft.chains(`${tableFamily(family)} ${TABLE}`)];
  const isPick = (name: string) => name.startsWith('pick');
  const shown = chains.filter(([name]) => !isPick(name) || ['pick-1', 'pick-20', 'pick-local-20'].includes(name));
  const lines = shown.flatMap(([name, rules]) => [`chain ${name}`, ...rules.map((rule) => `  ${rule}`)]);
  return [...lines, `${chains.filter(([name]) => isPick(name)).length} chains that pick`, ''].join('\n');
}

for (const family of [4, 6] as const) {
  test(`ruleset: the rules of family ${family} are those of the golden file`, async () => {
    const golden = new URL(`testdata/ruleset-${tableFamily(family)}.txt`, import.meta.url);
    // UPDATE_GOLDEN=1 writes the file anew; read the difference before committing it.
    if (process.env.UPDATE_GOLDEN) await writeFile(golden, readable(family));
    assert.equal(readable(family), await readFile(golden, 'utf8'));
  });
}

test('ruleset: the number of chains does not depend on Services', () => {
  const nft = new FakeNft();
  nft.apply(skeleton(4, NETWORKS[4]));
  assert.equal(nft.chains(`ip ${TABLE}`).size, 2 * SIZE_CLASSES.length + 11);
});

test('ruleset: writing it again onto itself empties the containers and doubles nothing', () => {
  const nft = new FakeNft();
  nft.apply(skeleton(4, NETWORKS[4]));
  const once = JSON.stringify([...nft.chains(`ip ${TABLE}`)]);
  nft.apply(`add element ip ${TABLE} cluster-ips { 10.43.0.1 }`);
  nft.apply(skeleton(4, NETWORKS[4]));
  assert.equal(JSON.stringify([...nft.chains(`ip ${TABLE}`)]), once);
  assert.equal(nft.elements(`ip ${TABLE}`, 'cluster-ips').size, 0);
});

test('ruleset: every verdict that a frontend can ask for leads to a chain that exists', () => {
  const nft = new FakeNft();
  nft.apply(skeleton(4, NETWORKS[4]));
  const chains = nft.chains(`ip ${TABLE}`);
  for (let count = 1; count < 300; count++) {
    const slots = Array.from({ length: count }, (_, i) => `10.42.0.${i} . 80`);
    const frontend: Frontend = {
      kind: 'frontend',
      key: '192.0.2.200 tcp 80',
      owner: 'a/b',
      rank: 0,
      family: 4,
      address: '192.0.2.200',
      protocol: 'tcp',
      port: 80,
      reach: 'external-local',
      target: { kind: 'endpoints', slots },
      targetIsLocal: false,
      outside: { kind: 'endpoints', slots },
      affinitySeconds: undefined,
      serving: undefined,
      sourceRanges: undefined,
    };
    for (const { value } of elementsOf(frontend)) {
      const chain = /^goto (.*)/.exec(value)?.[1];
      if (chain !== undefined) assert.ok(chains.has(chain), chain);
    }
  }
});
