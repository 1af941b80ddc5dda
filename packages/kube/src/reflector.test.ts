import assert from 'node:assert/strict';
import { test } from 'node:test';
import { silentLogger, systemClock } from '@ballast/base';
import { ApiError } from './api-error.ts';
import type { KubeClient } from './client.ts';
import { FakeClient } from './fake-client.ts';
import type { KubeObject } from './meta.ts';
import { startInformer } from './reflector.ts';
import type { Resource } from './resource.ts';

interface Thing extends KubeObject {
  spec?: { color?: string };
}
const THINGS: Resource<Thing> = { group: 'test', version: 'v1', plural: 'things', kind: 'Thing', namespaced: true };
const options = {
  logger: silentLogger,
  clock: systemClock,
  indexes: { color: (thing: Thing) => (thing.spec?.color ? [thing.spec.color] : []) },
};

const thing = (name: string, color?: string): Thing => ({
  metadata: { namespace: 'a', name },
  spec: color ? { color } : {},
});
const settle = () => new Promise<void>((resolve) => setImmediate(() => setImmediate(resolve)));

test('an informer holds the collection, follows changes and keeps its indexes', async () => {
  const client = new FakeClient();
  await client.create(THINGS, thing('one', 'red'));
  await using informer = startInformer(client, THINGS, options);
  await informer.synced;
  const events: string[] = [];
  informer.onChange((event) => events.push(`${event.type} ${event.object.metadata.name}`));
  await client.create(THINGS, thing('two', 'red'));
  await client.patch(THINGS, { namespace: 'a', name: 'one' }, { type: 'merge', body: { spec: { color: 'blue' } } });
  await client.delete(THINGS, { namespace: 'a', name: 'two' });
  await settle();
  assert.deepEqual(events, ['added one', 'added two', 'modified one', 'deleted two']);
  assert.deepEqual(
    Array.from(informer.byIndex('color', 'blue'), (found) => found.metadata.name),
    ['one'],
  );
  assert.deepEqual([...informer.byIndex('color', 'red')], []);
  assert.equal(informer.get('a/two'), undefined);
});

test('copies leave out managedFields', async () => {
  const client = new FakeClient();
  const managedFields = [
    { manager: 'm', operation: 'Update' as const, apiVersion: 'v1', fieldsType: 'FieldsV1' as const, fieldsV1: {} },
  ];
  await client.create(THINGS, { metadata: { namespace: 'a', name: 'listed', managedFields } });
  await using informer = startInformer(client, THINGS, options);
  await informer.synced;
  await client.create(THINGS, { metadata: { namespace: 'a', name: 'watched', managedFields } });
  await settle();
  for (const name of ['listed', 'watched']) {
    const { metadata = undefined } = informer.get(`a/${name}`) ?? {};
    assert.deepEqual([metadata?.name, metadata?.managedFields], [name, undefined]);
  }
});

test('after a lost watch the next list reveals what was missed, a replaced object included', async () => {
  const client = new FakeClient();
  let broken = false;
  const flaky: KubeClient = new Proxy(client, {
    get(target, property) {
      if (property === 'watch' && broken) {
        return () => {
          broken = false;
          throw new ApiError('Expired', 'too old resource version');
        };
      }
      const value: unknown = Reflect.get(target, property);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
  await client.create(THINGS, thing('replaced'));
  await client.create(THINGS, thing('gone'));
  broken = true;
  await using informer = startInformer(flaky, THINGS, options);
  await informer.synced;
  const events: string[] = [];
  informer.onChange((event) => events.push(`${event.type} ${event.object.metadata.name}`));
  await client.delete(THINGS, { namespace: 'a', name: 'gone' });
  await client.delete(THINGS, { namespace: 'a', name: 'replaced' });
  await client.create(THINGS, thing('replaced'));
  const deadline = performance.now() + 5000;
  while (events.length < 5 && performance.now() < deadline) await settle();
  assert.deepEqual(events.slice(0, 2).sort(), ['added gone', 'added replaced']);
  assert.deepEqual(events.slice(2).sort(), ['added replaced', 'deleted gone', 'deleted replaced']);
  assert.ok(events.indexOf('deleted replaced') < events.lastIndexOf('added replaced'));
});

test('a handler that throws does not stop the copy or the other handlers', async () => {
  const client = new FakeClient();
  await using informer = startInformer(client, THINGS, options);
  await informer.synced;
  informer.onChange(() => {
    throw new Error('bug');
  });
  const seen: string[] = [];
  informer.onChange((event) => seen.push(event.object.metadata.name));
  await client.create(THINGS, thing('one'));
  await client.create(THINGS, thing('two'));
  await settle();
  assert.deepEqual(seen, ['one', 'two']);
});
