import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Endpoint, selectEndpoints } from './endpoint-selection.ts';

const HERE = { nodeName: 'node-a', zone: 'zone-1', lostNodes: new Set<string>() };
const BOTH = { usesCluster: true, usesLocal: true };

const endpoint = (name: string, rest: Partial<Endpoint> = {}): Endpoint => ({
  address: name,
  port: 80,
  ready: true,
  serving: true,
  terminating: false,
  local: false,
  lost: false,
  nodeHints: undefined,
  zoneHints: undefined,
  ...rest,
});
const draining = { ready: false, serving: true, terminating: true };
const dead = { ready: false, serving: false, terminating: true };
const hinted = (node: string | undefined, zone: string) => ({
  nodeHints: node ? [node] : undefined,
  zoneHints: [zone],
});

const cases: readonly {
  readonly name: string;
  readonly endpoints: readonly Endpoint[];
  readonly policy?: typeof BOTH;
  readonly cluster: string;
  readonly local: string;
  readonly has: boolean;
}[] = [
  { name: 'nothing at all', endpoints: [], cluster: '', local: '', has: false },
  {
    name: 'ready endpoints only, though others drain',
    endpoints: [endpoint('a'), endpoint('b', draining), endpoint('c', { ready: false, serving: false })],
    cluster: 'a',
    local: '',
    has: true,
  },
  {
    name: 'endpoints on lost nodes are left out while there are others',
    endpoints: [endpoint('a', { lost: true }), endpoint('b')],
    cluster: 'b',
    local: '',
    has: true,
  },
  {
    name: 'when all nodes look lost, the view is more likely wrong than the API',
    endpoints: [endpoint('a', { lost: true }), endpoint('b', { lost: true })],
    cluster: 'a b',
    local: '',
    has: true,
  },
  {
    name: 'draining endpoints when none is ready',
    endpoints: [endpoint('a', draining), endpoint('b', dead)],
    cluster: 'a',
    local: '',
    has: true,
  },
  {
    name: 'neither ready nor serving is nothing',
    endpoints: [endpoint('a', dead)],
    cluster: '',
    local: '',
    has: false,
  },
  {
    name: 'the local list falls back by itself',
    endpoints: [endpoint('a'), endpoint('b', { ...draining, local: true })],
    cluster: 'a',
    local: 'b',
    has: true,
  },
  {
    name: 'only Local: endpoints elsewhere count as existing',
    endpoints: [endpoint('a')],
    policy: { usesCluster: false, usesLocal: true },
    cluster: '',
    local: '',
    has: true,
  },
  {
    name: 'same zone when all have zone hints and one names ours',
    endpoints: [endpoint('a', hinted(undefined, 'zone-1')), endpoint('b', hinted(undefined, 'zone-2'))],
    cluster: 'a',
    local: '',
    has: true,
  },
  {
    name: 'same node before same zone',
    endpoints: [endpoint('a', hinted('node-a', 'zone-1')), endpoint('b', hinted('node-b', 'zone-1'))],
    cluster: 'a',
    local: '',
    has: true,
  },
  {
    name: 'same zone when no node hint names this node',
    endpoints: [endpoint('a', hinted('node-c', 'zone-1')), endpoint('b', hinted('node-b', 'zone-2'))],
    cluster: 'a',
    local: '',
    has: true,
  },
  {
    name: 'one ready endpoint without hints turns them off',
    endpoints: [endpoint('a', hinted('node-a', 'zone-1')), endpoint('b')],
    cluster: 'a b',
    local: '',
    has: true,
  },
  {
    name: 'hints for other zones only are ignored',
    endpoints: [endpoint('a', hinted(undefined, 'zone-3')), endpoint('b', hinted(undefined, 'zone-2'))],
    cluster: 'a b',
    local: '',
    has: true,
  },
  {
    name: 'an endpoint that is not ready needs no hint',
    endpoints: [endpoint('a', hinted(undefined, 'zone-1')), endpoint('b', { ready: false, serving: false })],
    cluster: 'a',
    local: '',
    has: true,
  },
  {
    name: 'the fallback to draining endpoints ignores topology',
    endpoints: [
      endpoint('a', { ...draining, ...hinted(undefined, 'zone-1') }),
      endpoint('b', { ...draining, ...hinted(undefined, 'zone-2') }),
    ],
    cluster: 'a b',
    local: '',
    has: true,
  },
  {
    name: 'topology does not narrow the local list',
    endpoints: [
      endpoint('a', { ...hinted('node-b', 'zone-2'), local: true }),
      endpoint('b', { ...hinted('node-a', 'zone-1') }),
    ],
    cluster: 'b',
    local: 'a',
    has: true,
  },
];

for (const { name, endpoints, policy = BOTH, cluster, local, has } of cases) {
  test(`endpoint selection: ${name}`, () => {
    const selection = selectEndpoints(endpoints, policy, HERE);
    const names = (list: readonly Endpoint[]) => list.map(({ address }) => address).join(' ');
    assert.deepEqual(
      { cluster: names(selection.cluster), local: names(selection.local), has: selection.hasEndpoints },
      { cluster, local, has },
    );
  });
}
