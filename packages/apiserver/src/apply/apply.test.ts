import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { CONFIG_MAPS, DEPLOYMENTS, type ResourceType, SERVICES } from '@ballast/kube';
import fc from 'fast-check';
import type { ApiObject } from '../object/api-object.ts';
import { conflictText } from './conflict-text.ts';
import { FieldSet, formatFieldsV1, parseFieldsV1 } from './field-set.ts';
import { applyServerSide } from './server-side.ts';
import { trackUpdate } from './track-update.ts';

/** A little API server around the two functions: one object, and writers. */
class Stage {
  live: ApiObject | undefined;
  nowMs = Date.UTC(2026, 0, 1);
  readonly #type: ResourceType;

  constructor(type: ResourceType) {
    this.#type = type;
  }

  get #apiVersion(): string {
    return this.#type.group === '' ? 'v1' : `${this.#type.group}/${this.#type.version}`;
  }

  #object(content: object): ApiObject {
    return { apiVersion: this.#apiVersion, kind: this.#type.kind, metadata: { name: 'x' }, ...content };
  }

  apply(manager: string, content: object, force = false): string | undefined {
    this.nowMs += 1000;
    const outcome = applyServerSide({
      schema: this.#type.schema,
      live: this.live,
      config: this.#object(content),
      manager,
      apiVersion: this.#apiVersion,
      subresource: '',
      force,
      reset: FieldSet.ofPaths([['f:status']]),
      nowMs: this.nowMs,
    });
    if (outcome.kind === 'conflict') return conflictText(outcome.conflicts).message;
    this.live = outcome.object;
    return undefined;
  }

  update(manager: string, change: (object: ApiObject) => object): void {
    this.nowMs += 1000;
    const before = this.live;
    const after = this.#object(change(structuredClone(before ?? this.#object({}))));
    const { managedFields: _, ...metadata } = after.metadata;
    const entries = trackUpdate({
      schema: this.#type.schema,
      live: before,
      object: after,
      manager,
      apiVersion: this.#apiVersion,
      subresource: '',
      reset: FieldSet.ofPaths([['f:status']]),
      nowMs: this.nowMs,
    });
    this.live = { ...after, metadata: { ...metadata, ...(entries ? { managedFields: entries } : {}) } };
  }

  get data(): unknown {
    return this.live?.data;
  }

  owners(): Record<string, unknown> {
    return Object.fromEntries(
      (this.live?.metadata.managedFields ?? []).map((entry) => [`${entry.manager}/${entry.operation}`, entry.fieldsV1]),
    );
  }
}

describe('server-side apply (KEP-555)', () => {
  test('the first apply owns what it says, and nothing of identity', () => {
    const stage = new Stage(CONFIG_MAPS);
    stage.apply('a', { data: { k: '1' } });
    assert.deepEqual(stage.owners(), { 'a/Apply': { 'f:data': { 'f:k': {} } } });
  });

  test('a field that its only owner no longer applies goes away', () => {
    const stage = new Stage(CONFIG_MAPS);
    stage.apply('a', { data: { k: '1', l: '2' } });
    stage.apply('a', { data: { k: '1' } });
    assert.deepEqual(stage.data, { k: '1' });
  });

  test('a field that someone else owns too stays', () => {
    const stage = new Stage(CONFIG_MAPS);
    stage.apply('a', { data: { k: '1', l: '2' } });
    stage.apply('b', { data: { l: '2' } });
    stage.apply('a', { data: { k: '1' } });
    assert.deepEqual(stage.data, { k: '1', l: '2' });
  });

  test('another value for a field that another manager owns is a conflict; the same value is shared ownership', () => {
    const stage = new Stage(CONFIG_MAPS);
    stage.apply('a', { data: { k: '1' } });
    assert.equal(stage.apply('b', { data: { k: '2' } }), 'Apply failed with 1 conflict: conflict with "a": .data.k');
    assert.equal(stage.apply('b', { data: { k: '1' } }), undefined);
    assert.deepEqual(stage.data, { k: '1' });
  });

  test('a conflict with an update names its version and time', () => {
    const stage = new Stage(CONFIG_MAPS);
    stage.update('kubectl-edit', () => ({ data: { k: '1', l: '1' } }));
    assert.equal(
      stage.apply('b', { data: { k: '2', l: '2' } }),
      'Apply failed with 2 conflicts: conflicts with "kubectl-edit" using v1 at 2026-01-01T00:00:01Z:\n- .data.k\n- .data.l',
    );
  });

  test('force takes the field over', () => {
    const stage = new Stage(CONFIG_MAPS);
    stage.apply('a', { data: { k: '1', l: '1' } });
    assert.equal(stage.apply('b', { data: { k: '2' } }, true), undefined);
    assert.deepEqual(stage.data, { k: '2', l: '1' });
    assert.deepEqual(stage.owners(), {
      'a/Apply': { 'f:data': { 'f:l': {} } },
      'b/Apply': { 'f:data': { 'f:k': {} } },
    });
  });

  test('items of a map list are merged by key, with the default of an absent key field', () => {
    const stage = new Stage(SERVICES);
    stage.apply('a', { spec: { ports: [{ port: 80, name: 'http' }] } });
    stage.apply('b', {
      spec: {
        ports: [
          { port: 80, protocol: 'TCP', targetPort: 8080 },
          { port: 53, protocol: 'UDP', name: 'dns' },
        ],
      },
    });
    assert.deepEqual(stage.live?.spec, {
      ports: [
        { port: 80, name: 'http', protocol: 'TCP', targetPort: 8080 },
        { port: 53, protocol: 'UDP', name: 'dns' },
      ],
    });
    assert.match(JSON.stringify(stage.owners()['b/Apply']), /k:\{\\"port\\":53,\\"protocol\\":\\"UDP\\"\}/);
  });

  test('a container that its only owner no longer applies goes away, the others keep their order', () => {
    const stage = new Stage(DEPLOYMENTS);
    const containers = (...names: string[]) => ({
      spec: { template: { spec: { containers: names.map((name) => ({ name, image: name })) } } },
    });
    stage.apply('a', containers('one', 'two', 'three'));
    stage.apply('a', containers('one', 'three'));
    assert.deepEqual(stage.live?.spec, containers('one', 'three').spec);
  });

  test('the same key twice in the configuration is refused', () => {
    const stage = new Stage(DEPLOYMENTS);
    const twice = { spec: { template: { spec: { containers: [{ name: 'a' }, { name: 'a' }] } } } };
    assert.throws(() => stage.apply('a', twice), /duplicate entries for key \[name="a"\]/);
  });

  test('atomic lists have one owner', () => {
    const stage = new Stage(DEPLOYMENTS);
    const command = (...words: string[]) => ({
      spec: { template: { spec: { containers: [{ name: 'a', command: words }] } } },
    });
    stage.apply('a', command('x', 'y'));
    assert.match(stage.apply('b', command('x', 'z')) ?? '', /\.spec\.template\.spec\.containers\[name="a"\]\.command$/);
  });

  test('status is nobody’s through the object itself', () => {
    const stage = new Stage(DEPLOYMENTS);
    stage.apply('a', { spec: { replicas: 2 }, status: { replicas: 5 } });
    assert.deepEqual(stage.owners(), { 'a/Apply': { 'f:spec': { 'f:replicas': {} } } });
  });

  test('the same apply again changes nothing, not even a time', () => {
    const stage = new Stage(DEPLOYMENTS);
    const config = {
      metadata: { name: 'x', labels: { a: 'b' } },
      spec: { replicas: 2, selector: { matchLabels: { a: 'b' } } },
    };
    stage.apply('a', config);
    const before = structuredClone(stage.live);
    stage.apply('a', config);
    assert.deepEqual(stage.live, before);
  });
});

describe('updates', () => {
  test('an update owns what it changed and takes it from others', () => {
    const stage = new Stage(CONFIG_MAPS);
    stage.apply('a', { data: { k: '1', l: '1' } });
    stage.update('u', (object) => ({ ...object, data: { k: '2', l: '1' } }));
    assert.deepEqual(stage.owners(), {
      'a/Apply': { 'f:data': { 'f:l': {} } },
      'u/Update': { 'f:data': { 'f:k': {} } },
    });
  });

  test('a new map is owned itself too, as upstream shows it', () => {
    const stage = new Stage(CONFIG_MAPS);
    stage.update('u', () => ({ immutable: false }));
    stage.update('u', (object) => ({ ...object, metadata: { ...object.metadata, labels: { a: 'b' } } }));
    assert.deepEqual(stage.owners(), {
      'u/Update': { 'f:immutable': {}, 'f:metadata': { 'f:labels': { '.': {}, 'f:a': {} } } },
    });
  });

  test('removing a field removes it from everybody', () => {
    const stage = new Stage(CONFIG_MAPS);
    stage.apply('a', { data: { k: '1', l: '1' } });
    stage.update('u', (object) => ({ ...object, data: { l: '1' } }));
    assert.deepEqual(stage.owners(), { 'a/Apply': { 'f:data': { 'f:l': {} } } });
  });

  test('more than ten update managers are merged, oldest first', () => {
    const stage = new Stage(CONFIG_MAPS);
    for (let i = 0; i < 14; i++)
      stage.update(`u${i}`, (object) => ({ ...object, data: { ...(object.data as object), [`k${i}`]: 'v' } }));
    const owners = Object.keys(stage.owners());
    assert.equal(owners.length, 10);
    assert.ok(owners.includes('ancient-changes/Update'));
    assert.ok(owners.includes('u13/Update'));
  });
});

describe('laws', () => {
  const data = fc.dictionary(fc.constantFrom('a', 'b', 'c', 'd'), fc.constantFrom('1', '2'), { noNullPrototype: true });
  const write = fc.record({
    manager: fc.constantFrom('m1', 'm2', 'm3'),
    data,
    kind: fc.constantFrom('apply', 'force', 'update'),
  });

  test('after any history, every value has an owner or came from nobody, and a forced apply has its way', () => {
    fc.assert(
      fc.property(fc.array(write, { maxLength: 12 }), write, (history, last) => {
        const stage = new Stage(CONFIG_MAPS);
        for (const step of history) {
          if (step.kind === 'update') stage.update(step.manager, (object) => ({ ...object, data: step.data }));
          else stage.apply(step.manager, { data: step.data }, step.kind === 'force');
        }
        assert.equal(stage.apply(last.manager, { data: last.data }, true), undefined);
        const result = (stage.data ?? {}) as Record<string, string>;
        for (const [key, value] of Object.entries(last.data)) assert.equal(result[key], value);
        const ownedKeys = new Set(
          (stage.live?.metadata.managedFields ?? []).flatMap((entry) =>
            Object.keys((entry.fieldsV1['f:data'] ?? {}) as object),
          ),
        );
        for (const key of Object.keys(result)) assert.ok(ownedKeys.has(`f:${key}`), `nobody owns ${key}`);
        for (const key of ownedKeys)
          if (key !== '.') assert.ok(Object.hasOwn(result, key.slice(2)), `${key} is owned but absent`);
      }),
    );
  });

  const set: fc.Arbitrary<FieldSet> = fc
    .array(fc.array(fc.constantFrom('f:a', 'f:b', 'k:{"name":"x"}', 'v:"y"'), { minLength: 1, maxLength: 4 }))
    .map((paths) => FieldSet.ofPaths(paths));

  test('FieldsV1 round-trips, and set algebra holds', () => {
    fc.assert(
      fc.property(set, set, (a, b) => {
        assert.ok(parseFieldsV1(formatFieldsV1(a)).equals(a));
        assert.ok(a.union(b).difference(b).equals(a.difference(b)));
        assert.ok(a.intersection(b).union(a.difference(b)).equals(a));
      }),
    );
  });

  test('no FieldsV1 of a client makes the parser throw', () => {
    fc.assert(fc.property(fc.jsonValue(), (value) => void parseFieldsV1(value)));
  });
});
