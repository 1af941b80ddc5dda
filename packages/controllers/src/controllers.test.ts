import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { silentLogger, systemClock } from '@ballast/base';
import {
  DAEMON_SETS,
  DEPLOYMENTS,
  type Deployment,
  ENDPOINT_SLICES,
  ENDPOINTS,
  FakeClient,
  isPodReady,
  type KubeClient,
  type KubeObject,
  NODES,
  PODS,
  REPLICA_SETS,
  type Resource,
  SERVICES,
} from '@ballast/kube';
import { startFakeAgents } from './fake-agents.ts';
import { startControllers } from './start.ts';

const NODE_NAMES = ['node-1', 'node-2', 'node-3'];
const NAMESPACE = 'default';

/** The controllers over an API server in memory, with agents that run pods at once. */
async function startCluster(options: { lagMs?: number } = {}) {
  const client = new FakeClient();
  serveDiscovery(client);
  for (const name of NODE_NAMES) {
    const status = { conditions: [{ type: 'Ready', status: 'True' as const }], addresses: [] };
    await client.create(NODES, { metadata: { name }, status });
  }
  const stack = new AsyncDisposableStack();
  stack.use(startFakeAgents({ client, nodes: NODE_NAMES }));
  let controllers = start();
  stack.defer(() => controllers[Symbol.asyncDispose]());

  function start() {
    return startControllers({
      client: options.lagMs ? lagging(client, options.lagMs) : client,
      clock: systemClock,
      logger: silentLogger,
      clusterCidr: '10.42.0.0/16',
      clusterCaPem: 'CA',
    });
  }
  async function restart(): Promise<void> {
    await controllers[Symbol.asyncDispose]();
    controllers = start();
  }
  return { client, restart, [Symbol.asyncDispose]: () => stack.disposeAsync() };
}

/** The same API, but watches are behind: what a controller has done shows only after a while. */
function lagging(client: FakeClient, lagMs: number): KubeClient {
  return new Proxy<KubeClient>(client, {
    get(target, name) {
      if (name !== 'watch') {
        const value: unknown = Reflect.get(target, name, target);
        return typeof value === 'function' ? value.bind(target) : value;
      }
      return async function* watch(...args: Parameters<KubeClient['watch']>) {
        for await (const event of target.watch(...args)) {
          await sleep(lagMs);
          yield event;
        }
      };
    },
  });
}

function serveDiscovery(client: FakeClient): void {
  const verbs = ['create', 'delete', 'get', 'list', 'patch', 'update', 'watch'];
  const served: readonly Resource[] = [PODS, SERVICES, DEPLOYMENTS, REPLICA_SETS, DAEMON_SETS, ENDPOINT_SLICES, NODES];
  const list = (group: string) => ({
    resources: served
      .filter((resource) => resource.group === group)
      .map(({ plural, kind, namespaced }) => ({ name: plural, kind, namespaced, verbs })),
  });
  const version = (name: string) => ({
    name,
    versions: [{ groupVersion: `${name}/v1`, version: 'v1' }],
    preferredVersion: { version: 'v1' },
  });
  client.documents.set('/apis', { groups: [version('apps'), version('discovery.k8s.io')] });
  client.documents.set('/api/v1', list(''));
  client.documents.set('/apis/apps/v1', list('apps'));
  client.documents.set('/apis/discovery.k8s.io/v1', list('discovery.k8s.io'));
}

function deployment(replicas: number, image = 'web:1'): Deployment {
  return {
    metadata: { name: 'web', namespace: NAMESPACE },
    spec: {
      replicas,
      selector: { matchLabels: { app: 'web' } },
      template: { metadata: { name: '', labels: { app: 'web' } }, spec: { containers: [{ name: 'web', image }] } },
      strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } },
      revisionHistoryLimit: 10,
      progressDeadlineSeconds: 600,
    },
  } as Deployment;
}

/** Waits until `read` gives something other than undefined or false. */
async function eventually<T>(what: string, read: () => Promise<T | undefined | false>): Promise<T> {
  for (let attempt = 0; attempt < 2000; attempt++) {
    const value = await read();
    if (value !== undefined && value !== false) return value;
    await sleep(2);
  }
  throw new Error(`did not happen: ${what}`);
}

async function items<T extends KubeObject>(client: FakeClient, resource: Resource<T>): Promise<T[]> {
  return (await client.list(resource, { namespace: NAMESPACE })).items;
}

function settled(client: FakeClient, replicas: number): Promise<Deployment> {
  return eventually(`${replicas} replicas rolled out`, async () => {
    const now = await client.get(DEPLOYMENTS, { namespace: NAMESPACE, name: 'web' });
    const status = now.status ?? {};
    const counts = [status.replicas, status.updatedReplicas, status.availableReplicas];
    const done = counts.every((count) => count === replicas) && status.observedGeneration === now.metadata.generation;
    return done && now;
  });
}

suite('controllers over an API server in memory', () => {
  test('a Deployment becomes pods, each created once, and reports success as kubectl expects it', async () => {
    await using cluster = await startCluster();
    const { client } = cluster;
    await client.create(DEPLOYMENTS, deployment(10));
    const done = await settled(client, 10);
    assert.equal(done.metadata.annotations?.['deployment.kubernetes.io/revision'], '1');
    const progressing = done.status?.conditions?.find(({ type }) => type === 'Progressing');
    assert.equal(progressing?.reason, 'NewReplicaSetAvailable');
    assert.equal(client.writes.filter((write) => write.startsWith('create pods')).length, 10);
    assert.equal(client.writes.filter((write) => write.startsWith('create replicasets')).length, 1);
  });

  test('a rolling update without unavailability always has as many ready endpoints as replicas', async () => {
    await using cluster = await startCluster();
    const { client } = cluster;
    await client.create(SERVICES, {
      metadata: { name: 'web', namespace: NAMESPACE },
      spec: { selector: { app: 'web' }, clusterIP: '10.43.0.7', ports: [{ port: 80, targetPort: 8080 }] },
    });
    await client.create(DEPLOYMENTS, deployment(3));
    await settled(client, 3);
    const readyEndpoints = async () =>
      (await items(client, ENDPOINT_SLICES)).flatMap(
        ({ endpoints }) => endpoints?.filter(({ conditions }) => conditions?.ready) ?? [],
      ).length;
    await eventually('three endpoints', async () => (await readyEndpoints()) === 3);

    let fewest = 3;
    const watching = new AbortController();
    const watch = (async () => {
      for await (const _ of client.watch(ENDPOINT_SLICES, { signal: watching.signal, sendInitialEvents: true })) {
        fewest = Math.min(fewest, await readyEndpoints());
      }
    })();
    const current = await client.get(DEPLOYMENTS, { namespace: NAMESPACE, name: 'web' });
    await client.update(DEPLOYMENTS, { ...current, spec: deployment(3, 'web:2').spec } as Deployment);
    const done = await settled(client, 3);
    assert.equal(done.metadata.annotations?.['deployment.kubernetes.io/revision'], '2');
    const pods = await items(client, PODS);
    assert.ok(pods.every((pod) => pod.spec?.containers[0]?.image === 'web:2'));
    assert.equal(fewest, 3);

    // And back: the first ReplicaSet is used again, with a new revision.
    const latest = await client.get(DEPLOYMENTS, { namespace: NAMESPACE, name: 'web' });
    await client.update(DEPLOYMENTS, { ...latest, spec: deployment(3, 'web:1').spec } as Deployment);
    const back = await settled(client, 3);
    assert.equal(back.metadata.annotations?.['deployment.kubernetes.io/revision'], '3');
    const sets = await items(client, REPLICA_SETS);
    assert.equal(sets.length, 2);
    const first = sets.find(({ spec }) => spec?.replicas === 3);
    assert.equal(first?.metadata.annotations?.['deployment.kubernetes.io/revision-history'], '1');
    assert.equal(fewest, 3);
    watching.abort();
    await watch;
  });

  test('scaling down keeps ready pods and removes the rest once', async () => {
    await using cluster = await startCluster();
    const { client } = cluster;
    await client.create(DEPLOYMENTS, deployment(6));
    await settled(client, 6);
    await client.patch(
      DEPLOYMENTS,
      { namespace: NAMESPACE, name: 'web' },
      { type: 'merge', body: { spec: { replicas: 2 } } },
    );
    await settled(client, 2);
    await eventually('two pods', async () => (await items(client, PODS)).length === 2);
    assert.ok((await items(client, PODS)).every(isPodReady));
    assert.equal(new Set(client.writes.filter((write) => write.startsWith('delete pods'))).size, 4);
  });

  test('nothing is created twice, though watches lag behind', async () => {
    await using cluster = await startCluster({ lagMs: 5 });
    const { client } = cluster;
    const created = (plural: string) => client.writes.filter((write) => write.startsWith(`create ${plural} `)).length;
    await client.create(SERVICES, {
      metadata: { name: 'web', namespace: NAMESPACE },
      spec: { selector: { app: 'web' }, clusterIP: '10.43.0.7', ports: [{ port: 80, targetPort: 8080 }] },
    });
    await client.create(DEPLOYMENTS, deployment(8));
    await settled(client, 8);
    assert.deepEqual([created('pods'), created('replicasets'), created('endpointslices')], [8, 1, 1]);
    const ref = { namespace: NAMESPACE, name: 'web' };
    await client.patch(DEPLOYMENTS, ref, { type: 'merge', body: { spec: { replicas: 3 } } });
    await settled(client, 3);
    const deleted = new Set(client.writes.filter((write) => write.startsWith('delete pods')));
    assert.deepEqual([created('pods'), deleted.size], [8, 5]);
  });

  test('controllers that are restarted again and again during a rollout stay within its bounds', async () => {
    await using cluster = await startCluster();
    const { client, restart } = cluster;
    await client.create(DEPLOYMENTS, deployment(4));
    await settled(client, 4);
    for (const image of ['web:2', 'web:3', 'web:4']) {
      const current = await client.get(DEPLOYMENTS, { namespace: NAMESPACE, name: 'web' });
      await client.update(DEPLOYMENTS, { ...current, spec: deployment(4, image).spec } as Deployment);
      for (let i = 0; i < 10; i++) {
        await sleep(3);
        await restart();
        const pods = (await items(client, PODS)).filter(({ metadata }) => metadata.deletionTimestamp === undefined);
        assert.ok(pods.length <= 5, `${pods.length} pods`);
        assert.ok(pods.filter(isPodReady).length >= 4, 'too few are ready');
      }
    }
    await settled(client, 4);
    assert.ok((await items(client, PODS)).every((pod) => pod.spec?.containers[0]?.image === 'web:4'));
  });

  test('what a deleted Deployment owned goes with it', async () => {
    await using cluster = await startCluster();
    const { client } = cluster;
    await client.create(DEPLOYMENTS, deployment(3));
    await settled(client, 3);
    await client.delete(DEPLOYMENTS, { namespace: NAMESPACE, name: 'web' });
    await eventually('no pods', async () => (await items(client, PODS)).length === 0);
    await eventually('no ReplicaSets', async () => (await items(client, REPLICA_SETS)).length === 0);
  });

  test('a Service gets one slice and one Endpoints object, and loses both sets of addresses with the pods', async () => {
    await using cluster = await startCluster();
    const { client } = cluster;
    await client.create(SERVICES, {
      metadata: { name: 'web', namespace: NAMESPACE },
      spec: { selector: { app: 'web' }, clusterIP: '10.43.0.7', ports: [{ name: 'http', port: 80, targetPort: 8080 }] },
    });
    await client.create(DEPLOYMENTS, deployment(4));
    await settled(client, 4);
    await eventually('four addresses in Endpoints', async () => {
      const [object] = await items(client, ENDPOINTS);
      return object?.subsets?.[0]?.addresses?.length === 4;
    });
    const slices = await items(client, ENDPOINT_SLICES);
    assert.equal(slices.length, 1);
    assert.deepEqual(slices[0]?.ports, [{ name: 'http', port: 8080, protocol: 'TCP' }]);
    await client.patch(
      DEPLOYMENTS,
      { namespace: NAMESPACE, name: 'web' },
      { type: 'merge', body: { spec: { replicas: 0 } } },
    );
    await eventually('an empty slice', async () => {
      const [slice] = await items(client, ENDPOINT_SLICES);
      return slice?.endpoints?.length === 0;
    });
    await eventually('no subsets', async () => (await items(client, ENDPOINTS))[0]?.subsets?.length === 0);
  });

  test('a DaemonSet runs one pod for each node, and replaces them one at a time', async () => {
    await using cluster = await startCluster();
    const { client } = cluster;
    const spec = (image: string) => ({
      selector: { matchLabels: { app: 'agent' } },
      template: {
        metadata: { name: '', labels: { app: 'agent' } },
        spec: { containers: [{ name: 'agent', image }] },
      },
      updateStrategy: { type: 'RollingUpdate' as const, rollingUpdate: { maxUnavailable: 1, maxSurge: 0 } },
    });
    await client.create(DAEMON_SETS, { metadata: { name: 'agent', namespace: NAMESPACE }, spec: spec('agent:1') });
    const ready = (updated: number) =>
      eventually('three daemons', async () => {
        const { status, metadata } = await client.get(DAEMON_SETS, { namespace: NAMESPACE, name: 'agent' });
        const counts = [status?.numberAvailable, status?.updatedNumberScheduled];
        return counts[0] === 3 && counts[1] === updated && status?.observedGeneration === metadata.generation;
      });
    await ready(3);
    const current = await client.get(DAEMON_SETS, { namespace: NAMESPACE, name: 'agent' });
    await client.update(DAEMON_SETS, { ...current, spec: spec('agent:2') });
    await ready(3);
    const pods = await items(client, PODS);
    assert.equal(pods.length, 3);
    assert.ok(pods.every((pod) => pod.spec?.containers[0]?.image === 'agent:2'));
  });

  test('every node gets its own podCIDR', async () => {
    await using cluster = await startCluster();
    const nodes = await eventually('podCIDRs', async () => {
      const { items: all } = await cluster.client.list(NODES);
      return all.every(({ spec }) => spec?.podCIDR) && all;
    });
    assert.deepEqual(nodes.map(({ spec }) => spec?.podCIDR).sort(), ['10.42.0.0/24', '10.42.1.0/24', '10.42.2.0/24']);
  });
});
