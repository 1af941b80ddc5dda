import assert from 'node:assert/strict';
import { after, before, suite, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { silentLogger, systemClock } from '@ballast/base';
import { startControllers } from '@ballast/controllers';
import {
  CONFIG_MAPS,
  CUSTOM_RESOURCE_DEFINITIONS,
  type CustomResourceDefinition,
  DEPLOYMENTS,
  type Deployment,
  ENDPOINT_SLICES,
  isPodReady,
  type KubeClient,
  type KubeObject,
  LEASES,
  NAMESPACES,
  NODES,
  PODS,
  podCondition,
  REPLICA_SETS,
  type Resource,
  SERVICE_ACCOUNTS,
  SERVICES,
} from '@ballast/kube';
import { startScheduler } from '@ballast/scheduler';
import { startTestServer } from '../../packages/apiserver/src/testdata/test-server.ts';
import { startFakeAgents } from '../../packages/controllers/src/fake-agents.ts';

const NODE_NAMES = ['node-1', 'node-2', 'node-3'];
const GRACE_MS = 1500;
const WIDGETS: Resource = {
  group: 'example.com',
  version: 'v1',
  plural: 'widgets',
  kind: 'Widget',
  namespaced: true,
};

async function eventually<T>(what: string, read: () => Promise<T | undefined | false>): Promise<T> {
  const deadlineMs = performance.now() + 15_000;
  while (performance.now() < deadlineMs) {
    const value = await read();
    if (value !== undefined && value !== false) return value;
    await sleep(10);
  }
  throw new Error(`did not happen: ${what}`);
}

/** The real API server over loopback, the controllers and the scheduler; only the machines are played. */
suite('the control plane over a real API server', () => {
  const stack = new AsyncDisposableStack();
  const silent = new Set<string>();
  let client: KubeClient;

  before(async () => {
    const server = stack.use(await startTestServer());
    client = server.client;
    for (const name of NODE_NAMES) await register(name);
    const beating = new AbortController();
    const heart = beat(beating.signal);
    stack.defer(async () => {
      beating.abort();
      await heart;
    });
    const clock = systemClock;
    const logger = silentLogger;
    const nodes = { gracePeriodMs: GRACE_MS, checkPeriodMs: 200 };
    stack.use(startControllers({ client, clock, logger, clusterCidr: '10.42.0.0/16', clusterCaPem: 'CA', nodes }));
    stack.use(startScheduler({ client, clock, logger }));
    stack.use(startFakeAgents({ client, ready: (pod) => !silent.has(pod.spec?.nodeName ?? '') }));
  });
  after(() => stack.disposeAsync());

  async function register(name: string): Promise<void> {
    const amounts = { cpu: '4', memory: '8Gi', pods: '110' };
    await client.create(NODES, { metadata: { name, labels: { 'kubernetes.io/hostname': name } } });
    const status = {
      addresses: [{ type: 'InternalIP', address: `192.0.2.1${name.at(-1)}` }],
      conditions: [{ type: 'Ready', status: 'True', reason: 'KubeletReady', message: 'ready' }],
      allocatable: amounts,
      capacity: amounts,
    };
    await client.patch(NODES, { name }, { type: 'merge', body: { status } }, { subresource: 'status' });
    const metadata = { name, namespace: 'kube-node-lease' };
    await client.create(LEASES, { metadata, spec: { holderIdentity: name, renewTime: microTime() } });
  }

  async function beat(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      for (const name of NODE_NAMES) {
        if (silent.has(name)) continue;
        const body = { spec: { renewTime: microTime() } };
        await client.patch(LEASES, { name, namespace: 'kube-node-lease' }, { type: 'merge', body });
      }
      await sleep(200, undefined, { signal }).catch(() => {});
    }
  }

  async function createDeployment(namespace: string, replicas: number): Promise<void> {
    await client.create(DEPLOYMENTS, {
      metadata: { name: 'web', namespace },
      spec: {
        replicas,
        selector: { matchLabels: { app: 'web' } },
        template: {
          metadata: { name: '', labels: { app: 'web' } },
          spec: { containers: [{ name: 'web', image: 'web:1' }] },
        },
      },
    });
  }

  function available(namespace: string, replicas: number): Promise<Deployment> {
    return eventually(`${replicas} replicas available`, async () => {
      const found = await client.get(DEPLOYMENTS, { namespace, name: 'web' });
      const { status, metadata } = found;
      const counts = [status?.replicas, status?.updatedReplicas, status?.availableReplicas];
      return counts.every((count) => count === replicas) && status?.observedGeneration === metadata.generation && found;
    });
  }

  const namesIn = async <T extends KubeObject>(resource: Resource<T>, namespace: string) =>
    (await client.list(resource, { namespace })).items.map(({ metadata }) => metadata.name);

  async function createNamespace(name: string): Promise<void> {
    await client.create(NAMESPACES, { metadata: { name } });
    await eventually('the default ServiceAccount', () =>
      client.find(SERVICE_ACCOUNTS, { namespace: name, name: 'default' }),
    );
    await eventually('the root CA', () => client.find(CONFIG_MAPS, { namespace: name, name: 'kube-root-ca.crt' }));
  }

  test('a Deployment is rolled out, spread over the nodes, updated and rolled back', async () => {
    await createNamespace('rollout');
    await createDeployment('rollout', 6);
    await available('rollout', 6);
    const pods = (await client.list(PODS, { namespace: 'rollout' })).items;
    for (const node of NODE_NAMES) assert.equal(pods.filter(({ spec }) => spec?.nodeName === node).length, 2);

    const ref = { namespace: 'rollout', name: 'web' };
    const image = (value: string) => ({
      spec: { template: { spec: { containers: [{ name: 'web', image: value }] } } },
    });
    await client.patch(DEPLOYMENTS, ref, { type: 'strategic', body: image('web:2') });
    await available('rollout', 6);
    await client.patch(DEPLOYMENTS, ref, { type: 'strategic', body: image('web:1') });
    const back = await available('rollout', 6);
    assert.equal(back.metadata.annotations?.['deployment.kubernetes.io/revision'], '3');
    assert.equal((await namesIn(REPLICA_SETS, 'rollout')).length, 2);
  });

  test('a pod that fits nowhere says why', async () => {
    await createNamespace('full');
    const containers = [{ name: 'c', image: 'c', resources: { requests: { cpu: '100' } } }];
    await client.create(PODS, { metadata: { name: 'big', namespace: 'full' }, spec: { containers } });
    const condition = await eventually('a condition', async () =>
      podCondition(await client.get(PODS, { namespace: 'full', name: 'big' }), 'PodScheduled'),
    );
    assert.match(condition.message ?? '', /^0\/3 nodes are available: 3 Insufficient cpu\./);
  });

  test('deleting a namespace takes everything with it, custom resources too', async () => {
    await client.create(CUSTOM_RESOURCE_DEFINITIONS, {
      metadata: { name: 'widgets.example.com' },
      spec: {
        group: 'example.com',
        scope: 'Namespaced',
        names: { plural: 'widgets', singular: 'widget', kind: 'Widget' },
        versions: [{ name: 'v1', served: true, storage: true, schema: { openAPIV3Schema: { type: 'object' } } }],
      },
    } as CustomResourceDefinition);
    await createNamespace('team');
    await createDeployment('team', 3);
    const widget = await eventually('the CRD', () =>
      client.create(WIDGETS, { metadata: { name: 'w', namespace: 'team' } }).catch(() => undefined),
    );
    await client.create(CONFIG_MAPS, {
      metadata: {
        name: 'owned',
        namespace: 'team',
        ownerReferences: [{ apiVersion: 'example.com/v1', kind: 'Widget', name: 'w', uid: widget.metadata.uid ?? '' }],
      },
    });
    await available('team', 3);
    // First the owner alone: its dependent follows.
    await client.delete(WIDGETS, { namespace: 'team', name: 'w' });
    await eventually('the owned object is gone', async () => !(await namesIn(CONFIG_MAPS, 'team')).includes('owned'));
    await client.create(WIDGETS, { metadata: { name: 'w2', namespace: 'team' } });
    await client.delete(NAMESPACES, { name: 'team' });
    await eventually(
      'the namespace is gone',
      async () => (await client.find(NAMESPACES, { name: 'team' })) === undefined,
    );
    assert.deepEqual(await namesIn(PODS, 'team'), []);
    assert.deepEqual(await namesIn(WIDGETS, 'team'), []);
  });

  test('a foreground deletion ends when the dependents are gone, an orphaning one leaves them', async () => {
    await createNamespace('cascade');
    await createDeployment('cascade', 2);
    await available('cascade', 2);
    const ref = { namespace: 'cascade', name: 'web' };
    await client.delete(DEPLOYMENTS, ref, { propagationPolicy: 'Orphan' });
    await eventually('the Deployment is gone', async () => (await client.find(DEPLOYMENTS, ref)) === undefined);
    const [replicaSet] = (await client.list(REPLICA_SETS, { namespace: 'cascade' })).items;
    assert.equal(replicaSet?.metadata.ownerReferences?.length ?? 0, 0);
    assert.equal((await namesIn(PODS, 'cascade')).length, 2);

    // The same Deployment again takes over what it finds.
    await createDeployment('cascade', 2);
    await available('cascade', 2);
    assert.deepEqual(await namesIn(REPLICA_SETS, 'cascade'), [replicaSet?.metadata.name]);
    await client.delete(DEPLOYMENTS, ref, { propagationPolicy: 'Foreground' });
    await eventually('the Deployment is gone', async () => (await client.find(DEPLOYMENTS, ref)) === undefined);
    assert.deepEqual(await namesIn(REPLICA_SETS, 'cascade'), []);
    assert.deepEqual(await namesIn(PODS, 'cascade'), []);
  });

  test('when a node falls silent its endpoints go; when it is deleted its pods are replaced', async () => {
    await createNamespace('failover');
    await client.create(SERVICES, {
      metadata: { name: 'web', namespace: 'failover' },
      spec: { selector: { app: 'web' }, ports: [{ port: 80, targetPort: 8080 }] },
    });
    await createDeployment('failover', 3);
    await available('failover', 3);
    const readyNodes = async () =>
      (await client.list(ENDPOINT_SLICES, { namespace: 'failover' })).items
        .flatMap(({ endpoints }) => endpoints ?? [])
        .filter(({ conditions }) => conditions?.ready)
        .map(({ nodeName }) => nodeName)
        .sort();
    await eventually('three endpoints', async () => (await readyNodes()).length === 3);
    silent.add('node-3');
    await eventually('the endpoints of the silent node are gone', async () => !(await readyNodes()).includes('node-3'));
    assert.deepEqual(await readyNodes(), ['node-1', 'node-2']);
    const node = await eventually('the node is Unknown', async () => {
      const found = await client.get(NODES, { name: 'node-3' });
      return found.status?.conditions?.find(({ type }) => type === 'Ready')?.status === 'Unknown' && found;
    });
    await eventually('the node is tainted', async () => {
      const { spec } = await client.get(NODES, { name: node.metadata.name });
      return spec?.taints?.some(
        ({ key, effect }) => key === 'node.kubernetes.io/unreachable' && effect === 'NoExecute',
      );
    });
    await client.delete(NODES, { name: 'node-3' });
    await eventually('three ready endpoints again', async () => (await readyNodes()).length === 3);
    const pods = (await client.list(PODS, { namespace: 'failover' })).items;
    assert.ok(pods.every((pod) => isPodReady(pod) && pod.spec?.nodeName !== 'node-3'));
  });
});

/** Now, as Lease writes it. */
const microTime = (): string => new Date().toISOString().replace('Z', '000Z');
