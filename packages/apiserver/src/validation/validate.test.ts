import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  CONFIG_MAPS,
  CUSTOM_RESOURCE_DEFINITIONS,
  DAEMON_SETS,
  DEPLOYMENTS,
  ENDPOINT_SLICES,
  EVENTS,
  LEASES,
  PODS,
  PRIORITY_CLASSES,
  RESOURCES,
  type ResourceType,
  ROLE_BINDINGS,
  ROLES,
  SECRETS,
  SERVICES,
  STATEFUL_SETS,
} from '@ballast/kube';
import fc from 'fast-check';
import type { JsonObject } from '../object/api-object.ts';
import { applyDefaults, decode, validateCreate, validateUpdate } from './index.ts';

function complete(resource: ResourceType, object: JsonObject): JsonObject {
  const copy = structuredClone(object);
  applyDefaults(resource, copy);
  return copy;
}

function problemsOf(resource: ResourceType, object: JsonObject): string[] {
  return validateCreate(resource, complete(resource, object)).errors.map(
    ({ field, message }) => `${field}: ${message}`,
  );
}

const container = { name: 'c', image: 'web:1' };
const pod = (spec: JsonObject) => ({ metadata: { name: 'x' }, spec: { containers: [container], ...spec } });
const service = (spec: JsonObject) => ({ metadata: { name: 'x' }, spec: { ports: [{ port: 80 }], ...spec } });
const deployment = (spec: JsonObject) => ({
  metadata: { name: 'x' },
  spec: {
    selector: { matchLabels: { app: 'a' } },
    template: { metadata: { labels: { app: 'a' } }, spec: { containers: [container] } },
    ...spec,
  },
});

const ACCEPTED: readonly [name: string, resource: ResourceType, object: JsonObject][] = [
  ['a small pod', PODS, pod({})],
  ['a small Deployment', DEPLOYMENTS, deployment({})],
  ['a small DaemonSet', DAEMON_SETS, deployment({})],
  ['a Service', SERVICES, service({ selector: { app: 'a' } })],
  ['a headless Service without ports', SERVICES, { spec: { clusterIP: 'None' } }],
  ['an ExternalName Service', SERVICES, { spec: { type: 'ExternalName', externalName: 'example.com' } }],
  ['a LoadBalancer Service', SERVICES, service({ type: 'LoadBalancer', loadBalancerSourceRanges: ['10.0.0.0/8'] })],
  ['an EndpointSlice without endpoints', ENDPOINT_SLICES, { addressType: 'IPv4', endpoints: [], ports: [] }],
  ['an Event', EVENTS, { involvedObject: { kind: 'Pod', name: 'x' } }],
  ['a Lease', LEASES, { spec: { leaseDurationSeconds: 10 } }],
  ['a priority of zero', PRIORITY_CLASSES, { value: 0 }],
  ['a Role', ROLES, { rules: [{ verbs: ['get'], apiGroups: [''], resources: ['pods'] }] }],
  [
    'a StatefulSet whose containers mount its claims',
    STATEFUL_SETS,
    {
      spec: {
        selector: { matchLabels: { app: 'a' } },
        template: {
          metadata: { labels: { app: 'a' } },
          spec: { containers: [{ ...container, volumeMounts: [{ name: 'data', mountPath: '/data' }] }] },
        },
        volumeClaimTemplates: [{ metadata: { name: 'data' }, spec: {} }],
      },
    },
  ],
];

for (const [name, resource, object] of ACCEPTED) {
  test(`${name} is accepted`, () => assert.deepEqual(problemsOf(resource, object), []));
}

const LABEL_RULE =
  "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')";

const REFUSED: readonly [resource: ResourceType, object: JsonObject, problems: string[]][] = [
  [PODS, { spec: {} }, ['spec.containers: Required value']],
  [PODS, pod({ containers: [{ name: 'c' }] }), ['spec.containers[0].image: Required value']],
  [PODS, pod({ containers: [{ name: '', image: 'i' }] }), ['spec.containers[0].name: Required value']],
  [
    PODS,
    pod({ containers: [{ name: 'A', image: 'i' }] }),
    [`spec.containers[0].name: Invalid value: "A": ${LABEL_RULE}`],
  ],
  [PODS, pod({ containers: [container, container] }), ['spec.containers[1].name: Duplicate value: "c"']],
  [
    PODS,
    pod({ containers: [{ ...container, ports: [{ containerPort: 70000 }] }] }),
    ['spec.containers[0].ports[0].containerPort: Invalid value: 70000: must be between 1 and 65535, inclusive'],
  ],
  [
    PODS,
    pod({ containers: [{ ...container, volumeMounts: [{ name: 'nope', mountPath: '/x' }] }] }),
    ['spec.containers[0].volumeMounts[0].name: Not found: "nope"'],
  ],
  [
    PODS,
    pod({ containers: [{ ...container, resources: { limits: { cpu: '1' }, requests: { cpu: '2' } } }] }),
    ['spec.containers[0].resources.requests: Invalid value: "2": must be less than or equal to cpu limit of 1'],
  ],
  [
    PODS,
    pod({ containers: [{ ...container, livenessProbe: {} }] }),
    ['spec.containers[0].livenessProbe: Required value: must specify a handler type'],
  ],
  [
    PODS,
    pod({ restartPolicy: 'Sometimes' }),
    ['spec.restartPolicy: Unsupported value: "Sometimes": supported values: "Always", "OnFailure", "Never"'],
  ],
  [
    PODS,
    pod({ dnsPolicy: 'None' }),
    ['spec.dnsConfig: Required value: must provide `dnsConfig` when `dnsPolicy` is None'],
  ],
  [
    PODS,
    pod({ volumes: [{ name: 'v', emptyDir: {}, hostPath: { path: '/' } }] }),
    ['spec.volumes[0].hostPath: Forbidden: may not specify more than 1 volume type'],
  ],
  [
    DEPLOYMENTS,
    {
      metadata: { name: 'x' },
      spec: { template: { metadata: { labels: { a: 'b' } }, spec: { containers: [container] } } },
    },
    ['spec.selector: Required value'],
  ],
  [
    DEPLOYMENTS,
    deployment({ selector: { matchLabels: { app: 'b' } } }),
    ['spec.template.metadata.labels: Invalid value: {"app":"a"}: `selector` does not match template `labels`'],
  ],
  [
    DEPLOYMENTS,
    deployment({ selector: {} }),
    ['spec.selector: Invalid value: {}: empty selector is invalid for deployment'],
  ],
  [DEPLOYMENTS, deployment({ replicas: -1 }), ['spec.replicas: Invalid value: -1: must be greater than or equal to 0']],
  [
    DEPLOYMENTS,
    deployment({ strategy: { rollingUpdate: { maxSurge: 0, maxUnavailable: 0 } } }),
    ['spec.strategy.rollingUpdate.maxUnavailable: Invalid value: 0: may not be 0 when `maxSurge` is 0'],
  ],
  [SERVICES, { spec: {} }, ['spec.ports: Required value']],
  [
    SERVICES,
    service({ ports: [{ port: 80 }, { port: 81 }] }),
    ['spec.ports[0].name: Required value', 'spec.ports[1].name: Required value'],
  ],
  [
    SERVICES,
    service({ ports: [{ port: 80, nodePort: 30000 }] }),
    ["spec.ports[0].nodePort: Forbidden: may not be used when `type` is 'ClusterIP'"],
  ],
  [
    SERVICES,
    service({ type: 'Magic' }),
    [
      'spec.type: Unsupported value: "Magic": supported values: "ClusterIP", "ExternalName", "LoadBalancer", "NodePort"',
    ],
  ],
  [
    SERVICES,
    service({ externalTrafficPolicy: 'Local' }),
    ['spec.externalTrafficPolicy: Invalid value: "Local": may only be set for externally-accessible services'],
  ],
  [
    SERVICES,
    service({ loadBalancerSourceRanges: ['10.0.0.0/8'] }),
    ["spec.LoadBalancerSourceRanges: Forbidden: may only be used when `type` is 'LoadBalancer'"],
  ],
  [
    SERVICES,
    service({ trafficDistribution: 'x' }),
    [
      'spec.trafficDistribution: Unsupported value: "x": supported values: "PreferClose", "PreferSameZone", "PreferSameNode"',
    ],
  ],
  [
    SERVICES,
    service({ externalIPs: ['127.0.0.1'] }),
    ['spec.externalIPs[0]: Invalid value: "127.0.0.1": may not be in the loopback range (127.0.0.0/8, ::1/128)'],
  ],
  [
    ROLES,
    { rules: [{ verbs: [], apiGroups: [''], resources: ['pods'] }] },
    ['rules[0].verbs: Required value: verbs must contain at least one value'],
  ],
  [
    ROLE_BINDINGS,
    { roleRef: { kind: 'Pod', name: 'x' } },
    ['roleRef.kind: Unsupported value: "Pod": supported values: "Role", "ClusterRole"'],
  ],
  [
    ENDPOINT_SLICES,
    { addressType: 'IPv4', endpoints: [{ addresses: ['::1'] }] },
    ['endpoints[0].addresses[0]: Invalid value: "::1": must be an IPv4 address'],
  ],
  [
    CONFIG_MAPS,
    { data: { 'a b': 'x' } },
    [
      "data[a b]: Invalid value: \"a b\": a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or 'KEY_NAME',  or 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')",
    ],
  ],
  [SECRETS, { type: 'kubernetes.io/tls', data: { 'tls.crt': '' } }, ['data[tls.key]: Required value']],
  [
    LEASES,
    { spec: { leaseDurationSeconds: 0 } },
    ['spec.leaseDurationSeconds: Invalid value: 0: must be greater than 0'],
  ],
];

for (const [resource, object, problems] of REFUSED) {
  test(`${resource.kind} is refused: ${problems[0]}`, () => assert.deepEqual(problemsOf(resource, object), problems));
}

test('a CustomResourceDefinition without names or versions says so instead of failing', () => {
  const problems = problemsOf(CUSTOM_RESOURCE_DEFINITIONS, { metadata: { name: 'x' }, spec: {} });
  assert.ok(problems.includes('spec.group: Required value'), problems.join('\n'));
  assert.ok(problems.includes('spec.versions: Required value'));
});

function updateProblems(resource: ResourceType, old: JsonObject, object: JsonObject, subresource = ''): string[] {
  const [before, now] = [complete(resource, old), complete(resource, object)];
  return validateUpdate(resource, now, before, subresource).errors.map(
    ({ field, message }) => `${field}: ${message.split('\n')[0]}`,
  );
}

test('what never changes', () => {
  assert.deepEqual(
    updateProblems(DEPLOYMENTS, deployment({}), {
      metadata: { name: 'x' },
      spec: {
        selector: { matchLabels: { app: 'b' } },
        template: { metadata: { labels: { app: 'b' } }, spec: { containers: [container] } },
      },
    }),
    ['spec.selector: Invalid value: {"matchLabels":{"app":"b"}}: field is immutable'],
  );
  assert.deepEqual(
    updateProblems(
      SERVICES,
      service({ clusterIP: '10.43.0.5', clusterIPs: ['10.43.0.5'] }),
      service({ clusterIP: '10.43.0.6', clusterIPs: ['10.43.0.6'] }),
    ),
    ['spec.clusterIPs[0]: Invalid value: ["10.43.0.6"]: may not change once set'],
  );
  assert.deepEqual(
    updateProblems(CONFIG_MAPS, { immutable: true, data: { a: '1' } }, { immutable: true, data: { a: '2' } }),
    ['data: Forbidden: field is immutable when `immutable` is set'],
  );
  assert.deepEqual(updateProblems(SECRETS, { type: 'a' }, { type: 'b' }), [
    'type: Invalid value: "b": field is immutable',
  ]);
});

test('of a pod, images may change and tolerations may be added; the rest may not', () => {
  const old = pod({ tolerations: [{ key: 'a', operator: 'Exists' }] });
  const changed = pod({
    containers: [{ ...container, image: 'web:2' }],
    tolerations: [
      { key: 'a', operator: 'Exists' },
      { key: 'b', operator: 'Exists' },
    ],
  });
  // The pull policy was decided when the pod was made.
  assert.deepEqual(updateProblems(PODS, old, changed), []);
  const [problem] = updateProblems(PODS, old, pod({ nodeName: 'n', tolerations: [{ key: 'a', operator: 'Exists' }] }));
  assert.match(
    problem ?? '',
    /^spec: Forbidden: pod updates may not change fields other than `spec.containers\[\*\].image`/,
  );
  const [addition] = updateProblems(PODS, pod({}), pod({ containers: [container, { name: 'd', image: 'i:1' }] }));
  assert.equal(addition, 'spec.containers: Forbidden: pod updates may not add or remove containers');
  assert.deepEqual(updateProblems(PODS, pod({}), pod({ nodeName: 'n' }), 'binding'), []);
});

test('an object that was accepted once can still change its metadata and status', () => {
  const invalid = { metadata: { name: 'x' }, spec: { containers: [] } };
  const labelled = {
    metadata: { name: 'x', labels: { a: 'b' } },
    spec: { containers: [] },
    status: { phase: 'Failed' },
  };
  assert.deepEqual(updateProblems(PODS, invalid, labelled), []);
});

const widget: ResourceType & { custom: object } = {
  ...CONFIG_MAPS,
  group: 'example.com',
  kind: 'Widget',
  custom: {},
  schema: {
    type: 'object',
    properties: {
      apiVersion: { type: 'string' },
      kind: { type: 'string' },
      metadata: { type: 'any' },
      spec: {
        type: 'object',
        required: true,
        properties: {
          size: { type: 'integer', bits: 32, rules: { minimum: 1, maximum: 10 } },
          mode: { type: 'string', rules: { enum: ['a', 'b'] } },
          cidr: { type: 'string', rules: { pattern: '^[0-9./]+$', maxLength: 5 } },
          port: { type: 'intOrString' },
          tags: { type: 'list', listType: 'set', items: { type: 'string' }, rules: { maxItems: 2 } },
          peers: {
            type: 'list',
            listType: 'map',
            keys: ['name'],
            items: { type: 'object', properties: { name: { type: 'string', required: true } } },
          },
        },
        rules: { anyOf: [{ required: ['size'] }, { required: ['mode'] }] },
      },
    },
  },
};

const CUSTOM: readonly [spec: unknown, problems: string[]][] = [
  [{ size: 3, port: 'http', tags: ['x'], peers: [{ name: 'a' }] }, []],
  [undefined, ['spec: Required value']],
  [{ size: '3' }, ['spec.size: Invalid value: "string": spec.size in body must be of type integer: "string"']],
  [{ size: 0 }, ['spec.size: Invalid value: 0: spec.size in body should be greater than or equal to 1']],
  [{ mode: 'c' }, ['spec.mode: Unsupported value: "c": supported values: "a", "b"']],
  [{ size: 1, cidr: 'x' }, ['spec.cidr: Invalid value: "x": spec.cidr in body should match \'^[0-9./]+$\'']],
  [{ size: 1, cidr: '1234567' }, ['spec.cidr: Too long: may not be more than 5 bytes']],
  [{ size: 1, tags: ['x', 'x'] }, ['spec.tags[1]: Duplicate value: "x"']],
  [{ size: 1, tags: ['x', 'y', 'z'] }, ['spec.tags: Too many: 3: must have at most 2 items']],
  [{ size: 1, peers: [{ name: 'a' }, { name: 'a' }] }, ['spec.peers[1]: Duplicate value: {"name":"a"}']],
  [{ size: 1, peers: [{}] }, ['spec.peers[0].name: Required value']],
  [{}, ['spec: Invalid value: {}: spec in body must validate at least one schema (anyOf)']],
];

for (const [spec, problems] of CUSTOM) {
  test(`a custom resource with ${JSON.stringify(spec)} has ${problems.length} problems`, () => {
    const { errors } = validateCreate(widget, { metadata: { name: 'x' }, ...(spec === undefined ? {} : { spec }) });
    assert.deepEqual(
      errors.map(({ field, message }) => `${field}: ${message}`),
      problems,
    );
  });
}

test('parts of a custom resource that were invalid before and did not change pass', () => {
  const old = { metadata: { name: 'x' }, spec: { size: 0 } };
  assert.deepEqual(validateUpdate(widget, { metadata: { name: 'x' }, spec: { size: 0, mode: 'a' } }, old).errors, []);
  assert.equal(validateUpdate(widget, { metadata: { name: 'x' }, spec: { size: -1 } }, old).errors.length, 1);
});

test('whatever decodes can be defaulted and validated', () => {
  const leaf = fc.oneof(fc.string({ maxLength: 4 }), fc.integer(), fc.boolean(), fc.constant({}), fc.constant([]));
  const names = [
    'spec',
    'metadata',
    'template',
    'containers',
    'ports',
    'port',
    'name',
    'selector',
    'matchLabels',
    'replicas',
    'strategy',
    'type',
    'status',
    'rules',
    'volumes',
    'affinity',
    'versions',
    'names',
    'subjects',
    'endpoints',
    'roleRef',
    'data',
    'labels',
    'image',
  ];
  const { tree } = fc.letrec((tie) => ({
    tree: fc.dictionary(
      fc.constantFrom(...names),
      fc.oneof({ maxDepth: 5 }, leaf, tie('tree'), fc.array(tie('tree'), { maxLength: 2 })),
      {
        noNullPrototype: true,
      },
    ),
  }));
  fc.assert(
    fc.property(fc.constantFrom(...RESOURCES), tree, (resource, input) => {
      const { object, typeError } = decode(resource.schema, structuredClone(input) as JsonObject);
      if (typeError !== undefined) return;
      applyDefaults(resource, object);
      validateCreate(resource, object);
      validateUpdate(resource, object, { metadata: {}, spec: {} });
    }),
    { numRuns: 500 },
  );
});
