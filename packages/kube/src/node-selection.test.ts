import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Node } from './index.ts';
import { matchesNodeSelectorTerm, podSelectsNode } from './node-selection.ts';

const node: Node = { metadata: { name: 'node-1', labels: { disk: 'ssd', cores: '8' } } };

const EXPRESSIONS: readonly (readonly [operator: string, key: string, values: string[], holds: boolean])[] = [
  ['In', 'disk', ['ssd', 'nvme'], true],
  ['In', 'gpu', ['yes'], false],
  ['NotIn', 'disk', ['hdd'], true],
  ['NotIn', 'gpu', ['yes'], true],
  ['Exists', 'disk', [], true],
  ['DoesNotExist', 'disk', [], false],
  ['Gt', 'cores', ['4'], true],
  ['Gt', 'cores', ['8'], false],
  ['Lt', 'cores', ['16'], true],
  ['Lt', 'disk', ['16'], false],
  ['Unheard', 'disk', ['ssd'], false],
];

for (const [operator, key, values, holds] of EXPRESSIONS) {
  test(`a node selector requirement: ${key} ${operator} (${values}) is ${holds}`, () => {
    const requirement = { key, operator, values } as never;
    assert.equal(matchesNodeSelectorTerm({ matchExpressions: [requirement] }, node), holds);
  });
}

test('an empty term matches nothing, an absent affinity everything', () => {
  assert.equal(matchesNodeSelectorTerm({}, node), false);
  assert.equal(podSelectsNode({}, node), true);
});

test('nodeSelector and required affinity must both hold; terms of an affinity are alternatives', () => {
  const term = (value: string) => ({ matchExpressions: [{ key: 'disk', operator: 'In' as const, values: [value] }] });
  const affinity = (...values: string[]) => ({
    nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: values.map(term) } },
  });
  assert.equal(podSelectsNode({ affinity: affinity('hdd', 'ssd') }, node), true);
  assert.equal(podSelectsNode({ affinity: affinity('hdd') }, node), false);
  assert.equal(podSelectsNode({ nodeSelector: { cores: '4' }, affinity: affinity('ssd') }, node), false);
});

test('matchFields know the name of the node', () => {
  const term = (name: string) => ({ matchFields: [{ key: 'metadata.name', operator: 'In' as const, values: [name] }] });
  assert.equal(matchesNodeSelectorTerm(term('node-1'), node), true);
  assert.equal(matchesNodeSelectorTerm(term('node-2'), node), false);
});
