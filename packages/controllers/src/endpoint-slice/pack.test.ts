import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import type { Endpoint, EndpointSlice } from '@ballast/kube';
import fc from 'fast-check';
import type { EndpointGroup } from './desired.ts';
import { type Packing, pack } from './pack.ts';

const PORTS = [{ name: 'http', port: 8080, protocol: 'TCP' as const }];
const MAX = 10;

const endpoint = (id: number, ready = true): Endpoint => ({
  addresses: [`10.0.${id >> 8}.${id & 255}`],
  conditions: { ready },
  targetRef: { kind: 'Pod', name: `p${id}`, uid: `u${id}` },
});
const group = (ids: Iterable<number>, ready?: (id: number) => boolean): EndpointGroup => ({
  addressType: 'IPv4',
  ports: PORTS,
  endpoints: Array.from(ids, (id) => endpoint(id, ready?.(id) ?? true)),
});
const slice = (name: string, ids: readonly number[]): EndpointSlice => ({
  metadata: { name },
  addressType: 'IPv4',
  ports: PORTS,
  endpoints: ids.map((id) => endpoint(id)),
});
const options = { placeholders: ['IPv4' as const], max: MAX };

/** What is on the server after a packing was carried out, and how many writes that took. */
function apply(packing: Packing, counter: { next: number }) {
  const slices = packing.slices.map(({ slice: known, addressType, ports, endpoints }) => ({
    metadata: known?.metadata ?? { name: `s${counter.next++}` },
    addressType,
    ports: [...ports],
    endpoints: [...endpoints],
  }));
  const writes = packing.slices.filter(({ slice: known, changed }) => !known || changed).length + packing.remove.length;
  return { slices, writes };
}

const idsOf = (slices: readonly EndpointSlice[]): string[] =>
  slices.flatMap(({ endpoints }) => (endpoints ?? []).map(({ targetRef }) => targetRef?.uid ?? '')).sort();

suite('pack', () => {
  test('over any series of changes every endpoint is in exactly one slice, and no slice is too large', () => {
    const pods = fc.uniqueArray(fc.integer({ min: 0, max: 60 }), { maxLength: 50 });
    fc.assert(
      fc.property(fc.array(pods, { maxLength: 8 }), (series) => {
        const counter = { next: 0 };
        let slices: EndpointSlice[] = [];
        for (const ids of series) {
          const wanted = ids.length > 0 ? [group(ids)] : [];
          slices = apply(pack(wanted, slices, options), counter).slices;
          assert.deepEqual(idsOf(slices), ids.map((id) => `u${id}`).sort());
          assert.ok(slices.every(({ endpoints }) => (endpoints ?? []).length <= MAX));
          assert.ok(slices.length >= 1);
          assert.equal(new Set(slices.map(({ metadata }) => metadata.name)).size, slices.length);
          const again = apply(pack(wanted, slices, options), counter);
          assert.equal(again.writes, 0);
        }
      }),
    );
  });

  test('one endpoint that changes writes one slice, wherever it is', () => {
    const slices = [slice('a', [0, 1, 2, 3, 4]), slice('b', [5, 6, 7]), slice('c', [8, 9])];
    const packing = pack([group([0, 1, 2, 3, 4, 5, 6, 7, 8, 9], (id) => id !== 6)], slices, options);
    assert.deepEqual(
      packing.slices.filter(({ changed }) => changed).map(({ slice: known }) => known?.metadata.name),
      ['b'],
    );
  });

  test('a replaced endpoint takes the place that was freed', () => {
    const packing = pack([group([0, 1, 3, 9])], [slice('a', [0, 1]), slice('b', [2, 3])], options);
    const [a, b] = packing.slices;
    assert.equal(a?.changed, false);
    assert.deepEqual(
      b?.endpoints.map(({ targetRef }) => targetRef?.uid),
      ['u3', 'u9'],
    );
  });

  test('without endpoints one empty slice stays', () => {
    const packing = pack([], [slice('a', [0, 1])], options);
    assert.deepEqual(
      packing.slices.map(({ slice: known, endpoints }) => [known?.metadata.name, endpoints.length]),
      [['a', 0]],
    );
    assert.equal(packing.remove.length, 0);
  });

  test('when the ports change, the slice that is there takes the new ones', () => {
    const ports = [{ name: 'http', port: 9090, protocol: 'TCP' as const }];
    const changed: EndpointGroup = { addressType: 'IPv4', ports, endpoints: [endpoint(1)] };
    const packing = pack([changed], [slice('a', [1])], options);
    assert.deepEqual([packing.slices[0]?.slice?.metadata.name, packing.slices[0]?.changed], ['a', true]);
    assert.equal(packing.remove.length, 0);
  });

  test('other ports are other slices', () => {
    const other: EndpointGroup = {
      addressType: 'IPv4',
      ports: [{ name: 'http', port: 9090 }],
      endpoints: [endpoint(7)],
    };
    const packing = pack([group([1]), other], [slice('a', [1])], options);
    assert.equal(packing.slices.length, 2);
    assert.equal(packing.remove.length, 0);
  });
});
