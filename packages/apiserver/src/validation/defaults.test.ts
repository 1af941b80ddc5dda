import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  CUSTOM_RESOURCE_DEFINITIONS,
  DAEMON_SETS,
  DEPLOYMENTS,
  JOBS,
  NAMESPACES,
  NETWORK_POLICIES,
  PODS,
  RESOURCES,
  type ResourceType,
  ROLE_BINDINGS,
  SERVICES,
} from '@ballast/kube';
import type { JsonObject } from '../object/api-object.ts';
import { applyDefaults } from './index.ts';
import { pullPolicyOf } from './pod-defaults.ts';

function defaulted(resource: ResourceType, object: JsonObject): JsonObject {
  const copy = structuredClone(object);
  applyDefaults(resource, copy);
  return copy;
}

test('a Deployment gets its strategy, history, deadline and pod template defaults', () => {
  const deployment = defaulted(DEPLOYMENTS, {
    spec: { template: { spec: { containers: [{ name: 'c', image: 'web:1' }] } } },
  });
  assert.deepEqual(deployment, {
    spec: {
      replicas: 1,
      strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: '25%', maxUnavailable: '25%' } },
      revisionHistoryLimit: 10,
      progressDeadlineSeconds: 600,
      template: {
        spec: {
          containers: [
            {
              name: 'c',
              image: 'web:1',
              imagePullPolicy: 'IfNotPresent',
              resources: {},
              terminationMessagePath: '/dev/termination-log',
              terminationMessagePolicy: 'File',
            },
          ],
          dnsPolicy: 'ClusterFirst',
          restartPolicy: 'Always',
          schedulerName: 'default-scheduler',
          securityContext: {},
          terminationGracePeriodSeconds: 30,
        },
      },
    },
  });
});

test('Recreate gets no rolling update', () => {
  const spec = defaulted(DEPLOYMENTS, { spec: { strategy: { type: 'Recreate' } } }).spec as JsonObject;
  assert.deepEqual(spec.strategy, { type: 'Recreate' });
});

test('a DaemonSet replaces one pod at a time', () => {
  const spec = defaulted(DAEMON_SETS, { spec: {} }).spec as JsonObject;
  assert.deepEqual(spec.updateStrategy, { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: 1, maxSurge: 0 } });
});

test('a pod requests what it is limited to, and its probes get their thresholds', () => {
  const pod = defaulted(PODS, {
    spec: {
      hostNetwork: true,
      volumes: [{ name: 'tmp' }, { name: 'cm', configMap: { name: 'x' } }],
      containers: [
        {
          name: 'c',
          image: 'web',
          ports: [{ containerPort: 80 }],
          resources: { limits: { cpu: '1', memory: '1Gi' }, requests: { cpu: '500m' } },
          readinessProbe: { httpGet: { port: 80 } },
        },
      ],
    },
  });
  const spec = pod.spec as { enableServiceLinks: boolean; volumes: unknown[]; containers: JsonObject[] };
  const [container] = spec.containers;
  assert.equal(spec.enableServiceLinks, true);
  assert.deepEqual(spec.volumes, [
    { name: 'tmp', emptyDir: {} },
    { name: 'cm', configMap: { name: 'x', defaultMode: 420 } },
  ]);
  assert.deepEqual(container?.resources, {
    limits: { cpu: '1', memory: '1Gi' },
    requests: { cpu: '500m', memory: '1Gi' },
  });
  assert.deepEqual(container?.ports, [{ containerPort: 80, hostPort: 80, protocol: 'TCP' }]);
  assert.deepEqual(container?.readinessProbe, {
    httpGet: { port: 80, path: '/', scheme: 'HTTP' },
    timeoutSeconds: 1,
    periodSeconds: 10,
    successThreshold: 1,
    failureThreshold: 3,
  });
});

test('the tag decides when an image is pulled', () => {
  const table: [string, string][] = [
    ['nginx', 'Always'],
    ['nginx:latest', 'Always'],
    ['nginx:1.27', 'IfNotPresent'],
    ['registry:5000/nginx', 'Always'],
    ['registry:5000/nginx:1', 'IfNotPresent'],
    ['nginx@sha256:0123', 'IfNotPresent'],
    ['nginx:latest@sha256:0123', 'Always'],
  ];
  for (const [image, policy] of table) assert.equal(pullPolicyOf(image), policy, image);
});

test('a LoadBalancer Service gets its policies and target ports', () => {
  assert.deepEqual(defaulted(SERVICES, { spec: { type: 'LoadBalancer', ports: [{ port: 80 }] } }), {
    spec: {
      type: 'LoadBalancer',
      ports: [{ port: 80, protocol: 'TCP', targetPort: 80 }],
      sessionAffinity: 'None',
      externalTrafficPolicy: 'Cluster',
      internalTrafficPolicy: 'Cluster',
      allocateLoadBalancerNodePorts: true,
    },
  });
});

test('ClientIP affinity lasts three hours where nothing else is said', () => {
  const spec = defaulted(SERVICES, { spec: { sessionAffinity: 'ClientIP' } }).spec as JsonObject;
  assert.deepEqual(spec.sessionAffinityConfig, { clientIP: { timeoutSeconds: 10800 } });
});

test('smaller kinds', () => {
  assert.deepEqual(defaulted(NAMESPACES, { metadata: { name: 'a' } }), {
    metadata: { name: 'a', labels: { 'kubernetes.io/metadata.name': 'a' } },
  });
  assert.deepEqual(defaulted(NETWORK_POLICIES, { spec: { egress: [{}] } }).spec, {
    podSelector: {},
    egress: [{}],
    policyTypes: ['Ingress', 'Egress'],
  });
  assert.deepEqual(
    defaulted(ROLE_BINDINGS, { roleRef: { kind: 'Role', name: 'r' }, subjects: [{ kind: 'User', name: 'u' }] }),
    {
      roleRef: { kind: 'Role', name: 'r', apiGroup: 'rbac.authorization.k8s.io' },
      subjects: [{ kind: 'User', name: 'u', apiGroup: 'rbac.authorization.k8s.io' }],
    },
  );
  const job = defaulted(JOBS, { spec: {} }).spec as JsonObject;
  assert.deepEqual([job.parallelism, job.completions, job.backoffLimit], [1, 1, 6]);
  const crd = defaulted(CUSTOM_RESOURCE_DEFINITIONS, { spec: { names: { kind: 'Thing' } } }).spec as JsonObject;
  assert.deepEqual(crd.names, { kind: 'Thing', singular: 'thing', listKind: 'ThingList' });
  assert.deepEqual(crd.conversion, { strategy: 'None' });
});

test('defaulting twice is defaulting once, for every kind', () => {
  for (const resource of RESOURCES) {
    const once = defaulted(resource, { metadata: { name: 'x' }, spec: {} });
    assert.deepEqual(defaulted(resource, once), once, resource.plural);
  }
});
