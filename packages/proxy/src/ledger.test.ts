import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { EndpointSlice, Service } from '@ballast/kube';
import fc from 'fast-check';
import { compileService, type PreviousSlots } from './compile.ts';
import type { Family } from './element.ts';
import { contentOf, FakeNft } from './fake-nft.ts';
import { Ledger } from './ledger.ts';
import { rememberChainScript, skeleton, TABLE } from './ruleset.ts';
import { SAMPLE_NODE, type SampleEndpoint, sampleService, sampleSlice } from './sample-services.ts';
import { scriptOf } from './script.ts';

const NETWORKS = { podCidrs: [], serviceCidrs: [] };

/** What the driver does, against the fake. */
class Bench {
  readonly nft = new FakeNft();
  readonly ledger = new Ledger();
  readonly #slots = new Map<string, PreviousSlots>();

  resync(): void {
    this.ledger.forget();
    this.#write(([4, 6] as const).map((family) => skeleton(family, NETWORKS)).join(''));
  }

  set(service: Service, slices: readonly EndpointSlice[]): void {
    const owner = `default/${service.metadata.name}`;
    const compiled = compileService(service, slices, SAMPLE_NODE, this.#slots.get(owner));
    this.#slots.set(owner, compiled.slots);
    this.ledger.replace(owner, compiled.units);
  }

  remove(name: string): void {
    this.ledger.replace(`default/${name}`, []);
    this.#slots.delete(`default/${name}`);
  }

  sync(): void {
    this.#write('');
  }

  #write(before: string): void {
    const delta = this.ledger.delta();
    const chains = delta.newAffinitySeconds.flatMap((seconds) =>
      ([4, 6] as const).map((family) => rememberChainScript(family, seconds)),
    );
    const script = before + chains.join('') + scriptOf(delta.changes);
    if (script !== '') this.nft.apply(script);
    this.ledger.commit();
  }

  /** Content without slot numbers: which endpoint sits in which slot is free. */
  content(family: Family): unknown {
    const content = contentOf(this.nft, `${family === 4 ? 'ip' : 'ip6'} ${TABLE}`);
    const spread = (elements: Record<string, string> = {}) =>
      Object.entries(elements)
        .map(([key, value]) => `${key.slice(0, key.lastIndexOf(' . '))} ${value}`)
        .toSorted();
    const slots = (elements: Record<string, string> = {}) => Object.keys(elements).toSorted();
    return {
      ...content,
      endpoints: [spread(content.endpoints), slots(content.endpoints)],
      'local-endpoints': [spread(content['local-endpoints']), slots(content['local-endpoints'])],
    };
  }
}

const endpoint = fc.record({
  ip: fc.integer({ min: 1, max: 9 }).map((last) => `10.42.0.${last}`),
  node: fc.constantFrom('node-a', 'node-b'),
  ready: fc.boolean(),
  serving: fc.boolean(),
  terminating: fc.boolean(),
}) satisfies fc.Arbitrary<SampleEndpoint>;

// Few addresses and ports, so that Services collide.
const service = fc
  .record({
    name: fc.constantFrom('a', 'b', 'c'),
    type: fc.constantFrom('ClusterIP' as const, 'NodePort' as const, 'LoadBalancer' as const),
    ip: fc.integer({ min: 1, max: 4 }),
    port: fc.constantFrom(80, 443),
    nodePort: fc.constantFrom(30080, 30443),
    vip: fc.constantFrom('192.0.2.200', '192.0.2.201'),
    external: fc.constantFrom('Cluster' as const, 'Local' as const),
    internal: fc.constantFrom('Cluster' as const, 'Local' as const),
    affinity: fc.constantFrom(undefined, 60, 10_800),
    ranges: fc.constantFrom(undefined, ['10.0.0.0/8'], ['10.0.0.0/8', '172.16.0.0/12']),
    dual: fc.boolean(),
    externalIps: fc.constantFrom<string[][]>([], ['192.0.2.201']).map((ips) => [...ips]),
  })
  .map((plan) => {
    const { name, type, port, affinity } = plan;
    return sampleService(
      name,
      {
        type,
        clusterIP: `10.43.0.${plan.ip}`,
        clusterIPs: [`10.43.0.${plan.ip}`, ...(plan.dual ? [`fd43::${plan.ip}`] : [])],
        ports: [{ port, ...(type === 'ClusterIP' ? {} : { nodePort: plan.nodePort }) }],
        externalTrafficPolicy: plan.external,
        internalTrafficPolicy: plan.internal,
        externalIPs: plan.externalIps,
        ...(plan.ranges ? { loadBalancerSourceRanges: [...plan.ranges] } : {}),
        ...(affinity
          ? { sessionAffinity: 'ClientIP' as const, sessionAffinityConfig: { clientIP: { timeoutSeconds: affinity } } }
          : {}),
      },
      { status: { loadBalancer: { ingress: [{ ip: plan.vip, ipMode: 'VIP' }] } } },
    );
  });

type Step =
  | { readonly kind: 'set'; readonly service: Service; readonly endpoints: readonly SampleEndpoint[] }
  | { readonly kind: 'remove'; readonly name: string }
  | { readonly kind: 'sync' }
  | { readonly kind: 'resync' };

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant('set' as const),
      service,
      endpoints: fc.array(endpoint, { maxLength: 9 }),
    }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('remove' as const), name: fc.constantFrom('a', 'b', 'c') }) },
  { weight: 3, arbitrary: fc.constant({ kind: 'sync' as const }) },
  { weight: 1, arbitrary: fc.constant({ kind: 'resync' as const }) },
);

test('ledger: after any history the kernel holds what a fresh start would write', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 14 }), (steps) => {
      const bench = new Bench();
      bench.resync();
      const last = new Map<string, readonly [Service, readonly EndpointSlice[]]>();
      for (const each of steps) {
        if (each.kind === 'sync') bench.sync();
        else if (each.kind === 'resync') bench.resync();
        else if (each.kind === 'remove') {
          bench.remove(each.name);
          last.delete(each.name);
        } else {
          const slices = [sampleSlice(each.service.metadata.name, each.endpoints)];
          bench.set(each.service, slices);
          last.set(each.service.metadata.name, [each.service, slices]);
        }
      }
      bench.sync();
      const fresh = new Bench();
      for (const [service, slices] of last.values()) fresh.set(service, slices);
      fresh.resync();
      assert.deepEqual(bench.content(4), fresh.content(4));
      assert.deepEqual(bench.content(6), fresh.content(6));
    }),
    { numRuns: 100 },
  );
});

test('ledger: a change writes only the elements of what it touches', () => {
  const bench = new Bench();
  bench.resync();
  for (let i = 1; i <= 200; i++) {
    const name = `s${i}`;
    bench.set(sampleService(name, { clusterIP: `10.43.0.${i}` }), [
      sampleSlice(name, [{ ip: '10.42.0.1' }, { ip: '10.42.0.2' }]),
    ]);
  }
  bench.sync();
  bench.set(sampleService('s7', { clusterIP: '10.43.0.7' }), [
    sampleSlice('s7', [{ ip: '10.42.0.1' }, { ip: '10.42.0.3' }]),
  ]);
  assert.equal(
    scriptOf(bench.ledger.delta().changes),
    [
      'delete element ip ballast-proxy endpoints { 10.43.0.7 . tcp . 80 . 1 }',
      'add element ip ballast-proxy endpoints { 10.43.0.7 . tcp . 80 . 1 : 10.42.0.3 . 8080 }',
      '',
    ].join('\n'),
  );
});

test('ledger: an update that changes nothing for the kernel writes nothing', () => {
  const bench = new Bench();
  bench.resync();
  const slices = [sampleSlice('web', [{ ip: '10.42.0.1' }, { ip: '10.42.0.2' }])];
  bench.set(sampleService('web', { clusterIP: '10.43.0.7' }), slices);
  bench.sync();
  const before = bench.nft.applied;
  bench.set(sampleService('web', { clusterIP: '10.43.0.7', selector: { app: 'other' } }), slices);
  bench.sync();
  assert.equal(bench.nft.applied, before);
});

test('ledger: of two Services with one address the elder claim in rank wins, and the other takes over', () => {
  const bench = new Bench();
  bench.resync();
  const external = (name: string, ip: string) => sampleService(name, { clusterIP: ip, externalIPs: ['203.0.113.7'] });
  bench.set(external('b', '10.43.0.2'), [sampleSlice('b', [{ ip: '10.42.0.2' }])]);
  bench.set(external('a', '10.43.0.1'), [sampleSlice('a', [{ ip: '10.42.0.1' }])]);
  bench.sync();
  const behind = () => bench.nft.elements(`ip ${TABLE}`, 'endpoints').get('203.0.113.7 . tcp . 80 . 0');
  assert.equal(behind(), '10.42.0.1 . 8080');
  assert.deepEqual(
    [...bench.ledger.conflicts()].map((claims) => claims.map(({ owner }) => owner)),
    [['default/a', 'default/b']],
  );
  bench.remove('a');
  bench.sync();
  assert.equal(behind(), '10.42.0.2 . 8080');
});
