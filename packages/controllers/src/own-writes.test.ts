import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { SimulatedClock } from '@ballast/base';
import type { ConfigMap, InformerEvent } from '@ballast/kube';
import { OwnWrites } from './own-writes.ts';

const NOW = Date.UTC(2026, 0, 1);
const at = (offsetMs: number) => new Date(NOW + offsetMs).toISOString();

suite('OwnWrites', () => {
  const object = (name: string, revision: number, extra: Partial<ConfigMap['metadata']> = {}): ConfigMap => ({
    metadata: { name, uid: `uid-${name}`, resourceVersion: String(revision), ...extra },
  });

  function setup() {
    const handlers: ((event: InformerEvent<ConfigMap>) => void)[] = [];
    const writes = new OwnWrites<ConfigMap>({ onChange: (handler) => handlers.push(handler) }, new SimulatedClock());
    const see = (seen: ConfigMap) => {
      for (const handler of handlers) handler({ type: 'added', object: seen });
    };
    return { writes, see };
  }

  test('a created object counts before the informer shows it', () => {
    const { writes } = setup();
    writes.wrote('g', object('a', 5));
    assert.equal(writes.over('g', []).length, 1);
    assert.equal(writes.over('other', []).length, 0);
  });

  test('it is forgotten when the informer has seen later revisions without it: somebody has deleted it', () => {
    const { writes, see } = setup();
    writes.wrote('g', object('a', 5));
    see(object('z', 6));
    assert.equal(writes.over('g', []).length, 0);
  });

  test('the newer of the own write and the copy counts', () => {
    const { writes } = setup();
    writes.wrote('g', object('a', 5));
    assert.equal(writes.over('g', [object('a', 4)])[0]?.metadata.resourceVersion, '5');
    assert.equal(writes.over('g', [object('a', 7)])[0]?.metadata.resourceVersion, '7');
  });

  test('a deleted object does not count while the copy still shows it alive', () => {
    const { writes } = setup();
    writes.deleted('g', object('a', 5));
    assert.equal(writes.over('g', [object('a', 5)]).length, 0);
    assert.equal(writes.over('g', [object('a', 6)]).length, 0);
    assert.equal(writes.over('g', [object('a', 7, { deletionTimestamp: at(0) })]).length, 1);
  });
});
