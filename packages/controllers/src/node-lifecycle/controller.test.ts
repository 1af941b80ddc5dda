import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SimulatedClock, silentLogger } from '@ballast/base';
import { ApiError, FakeClient, isPodReady, type KubeClient, NODES, PODS } from '@ballast/kube';
import { startControllers } from '../start.ts';

const settle = async () => {
  for (let i = 0; i < 20; i++) await new Promise((resolve) => setImmediate(resolve));
};

test('a pod that changed just when its node was found not ready is marked by the next check', async () => {
  const client = new FakeClient();
  for (const [name, status] of [
    ['good', 'True'],
    ['bad', 'False'],
  ] as const) {
    await client.create(NODES, {
      metadata: { name },
      status: { conditions: [{ type: 'Ready', status }], addresses: [] },
    });
  }
  await client.create(PODS, {
    metadata: { name: 'web', namespace: 'default' },
    spec: { nodeName: 'bad', containers: [] },
    status: { phase: 'Running', conditions: [{ type: 'Ready', status: 'True' }] },
  });
  let conflicts = 1;
  const busy = new Proxy<KubeClient>(client, {
    get(target, property) {
      const value: unknown = Reflect.get(target, property, target);
      if (typeof value !== 'function') return value;
      return (...args: unknown[]) => {
        if (property === 'patch' && args[0] === PODS && conflicts-- > 0) {
          return Promise.reject(new ApiError('Conflict', 'modified meanwhile'));
        }
        return value.apply(target, args);
      };
    },
  });
  const clock = new SimulatedClock();
  await using _controllers = startControllers({
    client: busy,
    clock,
    logger: silentLogger,
    clusterCidr: '10.42.0.0/16',
    clusterCaPem: 'CA',
  });
  await settle();
  for (let i = 0; i < 8; i++) {
    await clock.advance(500);
    await settle();
  }
  const pod = await client.get(PODS, { namespace: 'default', name: 'web' });
  assert.ok(conflicts <= 0, 'a conflict was met');
  assert.equal(isPodReady(pod), false);
});
