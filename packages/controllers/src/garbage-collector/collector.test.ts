import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { CONFIG_MAPS, type OwnerReference } from '@ballast/kube';
import { FOREGROUND, type GraphObject, ORPHAN, OwnershipGraph } from './graph.ts';
import { type OwnerState, planCollection } from './plan.ts';

const owner = (uid: string, block = false): OwnerReference => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  name: uid,
  uid,
  blockOwnerDeletion: block,
});

function object(
  uid: string,
  options: Partial<Pick<GraphObject, 'owners' | 'finalizers' | 'deleting'>> = {},
): GraphObject {
  return {
    resource: CONFIG_MAPS,
    namespace: 'default',
    name: uid,
    uid,
    owners: [],
    finalizers: [],
    deleting: false,
    ...options,
  };
}

function plan(subject: GraphObject, owners: Readonly<Record<string, OwnerState>>, dependents: GraphObject[] = []) {
  return planCollection({ object: subject, dependents, ownerState: (uid) => owners[uid] ?? 'solid' });
}

suite('planCollection', () => {
  test('an object without owners is left alone', () => {
    assert.deepEqual(plan(object('a'), {}), { kind: 'none' });
  });

  test('an object whose owners are all gone is deleted', () => {
    const subject = object('a', { owners: [owner('x'), owner('y')] });
    assert.deepEqual(plan(subject, { x: 'absent', y: 'absent' }), { kind: 'delete', policy: 'Background' });
  });

  test('one owner that stays is enough; references to the others go', () => {
    const subject = object('a', { owners: [owner('x'), owner('y'), owner('z')] });
    assert.deepEqual(plan(subject, { x: 'absent', z: 'waiting' }), { kind: 'drop-owners', uids: ['x', 'z'] });
    assert.deepEqual(plan(subject, {}), { kind: 'none' });
  });

  test('a foreground deletion goes down the tree: dependents with dependents are deleted in the foreground too', () => {
    const subject = object('a', { owners: [owner('x', true)] });
    const child = object('b', { owners: [owner('a')] });
    assert.deepEqual(plan(subject, { x: 'waiting' }, [child]), { kind: 'delete', policy: 'Foreground' });
    assert.deepEqual(plan(subject, { x: 'waiting' }), { kind: 'delete', policy: 'Background' });
  });

  test('an owner in foreground deletion waits for blocking dependents only', () => {
    const subject = object('a', { deleting: true, finalizers: [FOREGROUND] });
    const blocking = object('b', { owners: [owner('a', true)] });
    const free = object('c', { owners: [owner('a')] });
    assert.deepEqual(plan(subject, {}, [blocking, free]), { kind: 'wait-for', dependents: [blocking, free] });
    assert.deepEqual(plan(subject, {}, [free]), { kind: 'remove-finalizer', finalizer: FOREGROUND });
  });

  test('an orphaning deletion frees the dependents first', () => {
    const subject = object('a', { deleting: true, finalizers: [ORPHAN] });
    const child = object('b', { owners: [owner('a')] });
    assert.deepEqual(plan(subject, {}, [child]), { kind: 'orphan', dependents: [child] });
  });
});

suite('OwnershipGraph', () => {
  test('dependents are looked at when their owner goes, and its uid is remembered', () => {
    const graph = new OwnershipGraph();
    graph.put(object('x'));
    graph.put(object('a', { owners: [owner('x')] }));
    assert.deepEqual(graph.remove('x'), ['a']);
    assert.ok(graph.isGone('x'));
  });

  test('a waiting owner is looked at when its last dependent goes or lets go of it', () => {
    const graph = new OwnershipGraph();
    graph.put(object('a', { owners: [owner('x')] }));
    graph.put(object('b', { owners: [owner('x')] }));
    graph.put(object('x', { deleting: true, finalizers: [FOREGROUND] }));
    assert.deepEqual(graph.remove('a'), ['x']);
    assert.deepEqual(graph.put(object('b')), ['x']);
    assert.deepEqual([...graph.dependents('x')], []);
  });

  test('dependents may be seen before their owner', () => {
    const graph = new OwnershipGraph();
    assert.deepEqual(graph.put(object('a', { owners: [owner('x')] })), ['a']);
    graph.put(object('x'));
    assert.deepEqual(
      [...graph.dependents('x')].map(({ uid }) => uid),
      ['a'],
    );
  });
});
