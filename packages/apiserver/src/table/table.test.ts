import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RESOURCES } from '@ballast/kube';
import fc from 'fast-check';
import type { ApiObject } from '../object/api-object.ts';
import { humanDuration, JsonPathError, parseJsonPath, tableFor, valuesAt } from './index.ts';

const NOW = Date.parse('2026-01-01T12:00:00Z');
const at = (secondsAgo: number) => new Date(NOW - secondsAgo * 1000).toISOString().replace('.000', '');

function object(kind: string, parts: Record<string, unknown>, metadata: Record<string, unknown> = {}): ApiObject {
  return {
    apiVersion: 'v1',
    kind,
    metadata: { name: 'x', creationTimestamp: at(300), ...metadata },
    ...parts,
  } as ApiObject;
}

test('ages are shown as kubectl shows them', () => {
  const table: [number, string][] = [
    [-5, '<invalid>'],
    [0, '0s'],
    [119, '119s'],
    [120, '2m'],
    [150, '2m30s'],
    [600, '10m'],
    [10799, '179m'],
    [10800, '3h'],
    [12660, '3h31m'],
    [28800, '8h'],
    [172799, '47h'],
    [172800, '2d'],
    [183600, '2d3h'],
    [691200, '8d'],
    [63072000, '2y'],
    [63158400, '2y1d'],
    [315360000, '10y'],
  ];
  for (const [seconds, text] of table) assert.equal(humanDuration(seconds * 1000), text);
});

const running = (name: string, more: Record<string, unknown> = {}) => ({
  name,
  ready: true,
  restartCount: 0,
  state: { running: {} },
  ...more,
});
const spec = { containers: [{ name: 'a' }] };

const PODS: readonly [name: string, pod: ApiObject, ready: string, status: string, restarts: string][] = [
  ['pending', object('Pod', { spec, status: { phase: 'Pending' } }), '0/1', 'Pending', '0'],
  [
    'gated',
    object('Pod', {
      spec,
      status: { phase: 'Pending', conditions: [{ type: 'PodScheduled', status: 'False', reason: 'SchedulingGated' }] },
    }),
    '0/1',
    'SchedulingGated',
    '0',
  ],
  [
    'running',
    object('Pod', { spec, status: { phase: 'Running', containerStatuses: [running('a')] } }),
    '1/1',
    'Running',
    '0',
  ],
  [
    'crashing',
    object('Pod', {
      spec,
      status: {
        phase: 'Running',
        containerStatuses: [
          {
            name: 'a',
            ready: false,
            restartCount: 4,
            state: { waiting: { reason: 'CrashLoopBackOff' } },
            lastState: { terminated: { exitCode: 1, finishedAt: at(30) } },
          },
        ],
      },
    }),
    '0/1',
    'CrashLoopBackOff',
    '4 (30s ago)',
  ],
  [
    'failed by signal',
    object('Pod', {
      spec,
      status: {
        phase: 'Failed',
        containerStatuses: [{ name: 'a', restartCount: 0, state: { terminated: { exitCode: 137, signal: 9 } } }],
      },
    }),
    '0/1',
    'Signal:9',
    '0',
  ],
  [
    'initializing',
    object('Pod', {
      spec: { ...spec, initContainers: [{ name: 'i' }, { name: 'j' }] },
      status: {
        phase: 'Pending',
        initContainerStatuses: [
          { name: 'i', restartCount: 1, state: { terminated: { exitCode: 0 } } },
          { name: 'j', restartCount: 0, state: { running: {} } },
        ],
        containerStatuses: [{ name: 'a', restartCount: 0, state: { waiting: { reason: 'PodInitializing' } } }],
      },
    }),
    '0/1',
    'Init:1/2',
    '1',
  ],
  [
    'init failing',
    object('Pod', {
      spec: { ...spec, initContainers: [{ name: 'i' }] },
      status: {
        phase: 'Pending',
        initContainerStatuses: [{ name: 'i', restartCount: 0, state: { terminated: { exitCode: 2 } } }],
      },
    }),
    '0/1',
    'Init:ExitCode:2',
    '0',
  ],
  [
    'with a sidecar',
    object('Pod', {
      spec: { ...spec, initContainers: [{ name: 's', restartPolicy: 'Always' }] },
      status: {
        phase: 'Running',
        initContainerStatuses: [running('s', { started: true })],
        containerStatuses: [running('a')],
      },
    }),
    '2/2',
    'Running',
    '0',
  ],
  [
    'half done',
    object('Pod', {
      spec: { containers: [{ name: 'a' }, { name: 'b' }] },
      status: {
        phase: 'Running',
        containerStatuses: [
          { name: 'a', restartCount: 0, state: { terminated: { exitCode: 0, reason: 'Completed' } } },
          running('b'),
        ],
      },
    }),
    '1/2',
    'NotReady',
    '0',
  ],
  [
    'going away',
    object(
      'Pod',
      { spec, status: { phase: 'Running', containerStatuses: [running('a')] } },
      { deletionTimestamp: at(1) },
    ),
    '1/1',
    'Terminating',
    '0',
  ],
  ['evicted', object('Pod', { spec, status: { phase: 'Failed', reason: 'Evicted' } }), '0/1', 'Evicted', '0'],
];

for (const [name, pod, ready, status, restarts] of PODS) {
  test(`the STATUS of a pod that is ${name} is ${status}`, () => {
    const cells = tableFor({ group: '', kind: 'Pod' }).cells(pod, NOW);
    assert.deepEqual(cells.slice(0, 5), ['x', ready, status, restarts, '5m']);
    assert.equal(cells.length, 9);
  });
}

const ROWS: readonly [group: string, object: ApiObject, cells: unknown[]][] = [
  [
    '',
    object('Service', {
      spec: {
        type: 'LoadBalancer',
        clusterIP: '10.43.0.5',
        ports: [{ port: 80, nodePort: 30080, protocol: 'TCP' }],
        selector: { app: 'web' },
      },
      status: { loadBalancer: { ingress: [{ ip: '192.0.2.200' }] } },
    }),
    ['x', 'LoadBalancer', '10.43.0.5', '192.0.2.200', '80:30080/TCP', '5m', 'app=web'],
  ],
  [
    '',
    object('Service', {
      spec: { type: 'LoadBalancer', clusterIP: '10.43.0.5', ports: [{ port: 53, protocol: 'UDP' }] },
    }),
    ['x', 'LoadBalancer', '10.43.0.5', '<pending>', '53/UDP', '5m', '<none>'],
  ],
  [
    '',
    object('Service', { spec: { type: 'ClusterIP', clusterIP: 'None' } }),
    ['x', 'ClusterIP', 'None', '<none>', '<none>', '5m', '<none>'],
  ],
  [
    'apps',
    object('Deployment', {
      spec: {
        replicas: 3,
        selector: { matchLabels: { app: 'web' } },
        template: { spec: { containers: [{ name: 'c', image: 'i:1' }] } },
      },
      status: { readyReplicas: 2, updatedReplicas: 3, availableReplicas: 2 },
    }),
    ['x', '2/3', 3, 2, '5m', 'c', 'i:1', 'app=web'],
  ],
  [
    '',
    object(
      'Node',
      {
        spec: { unschedulable: true },
        status: {
          conditions: [{ type: 'Ready', status: 'True' }],
          addresses: [{ type: 'InternalIP', address: '192.0.2.11' }],
          nodeInfo: {
            kubeletVersion: 'v1.36.0',
            osImage: 'Debian',
            kernelVersion: '6.18',
            containerRuntimeVersion: 'containerd://1.6.20',
          },
        },
      },
      { labels: { 'node-role.kubernetes.io/control-plane': '', 'node-role.kubernetes.io/etcd': 'true' } },
    ),
    [
      'x',
      'Ready,SchedulingDisabled',
      'control-plane,etcd',
      '5m',
      'v1.36.0',
      '192.0.2.11',
      '<none>',
      'Debian',
      '6.18',
      'containerd://1.6.20',
    ],
  ],
  [
    '',
    object('Event', {
      involvedObject: { kind: 'Pod', name: 'web' },
      type: 'Normal',
      reason: 'Pulled',
      message: 'ok\n',
      source: { component: 'kubelet', host: 'n1' },
      firstTimestamp: at(60),
      lastTimestamp: at(5),
      count: 3,
    }),
    ['5s', 'Normal', 'Pulled', 'pod/web', '', 'kubelet, n1', 'ok', '60s', '3', 'x'],
  ],
  [
    'discovery.k8s.io',
    object('EndpointSlice', {
      addressType: 'IPv4',
      ports: [{ port: 8080 }],
      endpoints: [1, 2, 3, 4].map((i) => ({ addresses: [`10.42.0.${i}`] })),
    }),
    ['x', 'IPv4', '8080', '10.42.0.1,10.42.0.2,10.42.0.3 + 1 more...', '5m'],
  ],
  ['coordination.k8s.io', object('Lease', { spec: { holderIdentity: 'n1' } }), ['x', 'n1', '5m']],
  ['apiextensions.k8s.io', object('CustomResourceDefinition', {}), ['x', at(300)]],
];

for (const [group, row, cells] of ROWS) {
  test(`a row of ${row.kind} shows ${String(cells[1])}`, () => {
    assert.deepEqual(tableFor({ group, kind: row.kind }).cells(row, NOW), cells);
  });
}

test('every built-in kind has as many cells as columns, also for empty objects', () => {
  for (const { group, kind } of RESOURCES) {
    const table = tableFor({ group, kind });
    assert.equal(table.cells(object(kind, {}), NOW).length, table.columns.length, kind);
    assert.equal(table.columns[0]?.name, kind === 'Event' ? 'Last Seen' : 'Name');
  }
});

test('finished pods are marked as completed', () => {
  const table = tableFor({ group: '', kind: 'Pod' });
  assert.equal(table.conditions(object('Pod', { spec, status: { phase: 'Succeeded' } }))[0]?.reason, 'Succeeded');
  assert.deepEqual(table.conditions(object('Pod', { spec, status: { phase: 'Running' } })), []);
});

test('custom resources print their additionalPrinterColumns', () => {
  const printerColumns = [
    { name: 'Replicas', type: 'integer', jsonPath: '.spec.replicas' },
    { name: 'Ready', type: 'string', jsonPath: '.status.conditions[?(@.type=="Ready")].status' },
    { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp' },
    { name: 'Broken', type: 'string', jsonPath: '.a[' },
  ];
  const table = tableFor({ group: 'example.com', kind: 'Thing', custom: { printerColumns } });
  const thing = object('Thing', {
    spec: { replicas: 3 },
    status: {
      conditions: [
        { type: 'A', status: 'x' },
        { type: 'Ready', status: 'True' },
      ],
    },
  });
  assert.deepEqual(table.cells(thing, NOW), ['x', 3, 'True', '5m', null]);
  assert.deepEqual(
    tableFor({ group: 'example.com', kind: 'Thing', custom: { printerColumns: [] } }).columns.map(({ name }) => name),
    ['Name', 'Age'],
  );
});

const PATHS: readonly [path: string, values: unknown[]][] = [
  ['.a.b', [1]],
  ['{.a.b}', [1]],
  ["['a']['b']", [1]],
  ['.l[0]', [{ n: 'x', v: 1 }]],
  ['.l[-1].v', [2]],
  ['.l[*].v', [1, 2]],
  ['.l[?(@.n=="y")].v', [2]],
  ['.l[?(@.v>1)].n', ['y']],
  ['.l[0:1].n', ['x']],
  ['.dotted\\.key', [7]],
  ['..v', [1, 2]],
  ['.missing.b', []],
];

for (const [path, values] of PATHS) {
  test(`JSONPath ${path}`, () => {
    const root = {
      a: { b: 1 },
      l: [
        { n: 'x', v: 1 },
        { n: 'y', v: 2 },
      ],
      'dotted.key': 7,
    };
    assert.deepEqual(valuesAt(parseJsonPath(path), root), values);
  });
}

test('any text is a JSONPath or a JsonPathError', () => {
  const piece = fc.constantFrom('.', '[', ']', '*', 'a', '0', '"', "'", '?(', '@', ')', '\\', ':', '==', '{', '}', ' ');
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
      try {
        valuesAt(parseJsonPath(pieces.join('')), { a: [{ a: 0 }] });
      } catch (error) {
        assert.ok(error instanceof JsonPathError);
      }
    }),
  );
});
