import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { systemClock } from '@ballast/base';
import { CUSTOM_RESOURCE_DEFINITIONS, FakeClient, type KubeObject, NAMESPACES, NODES } from '@ballast/kube';
import { METALLB_CRDS } from '@ballast/loadbalancer';
import { waitForCluster } from './lab-readiness.ts';

function cluster() {
  const client = new FakeClient();
  const condition = (type: string) => ({ status: { conditions: [{ type, status: 'True' as const }] } });
  return {
    client,
    namespace: (name: string) => client.create(NAMESPACES, { metadata: { name } }),
    node: (name: string, ready = true) =>
      client.create(NODES, { metadata: { name }, ...(ready ? condition('Ready') : {}) }),
    async kinds() {
      for (const { metadata } of METALLB_CRDS) {
        await client.create<KubeObject>(CUSTOM_RESOURCE_DEFINITIONS, {
          metadata: { name: metadata.name },
          ...condition('Established'),
        });
      }
    },
    wait(nodes: readonly string[], steps: string[] = []) {
      const waiting = { clock: systemClock, signal: new AbortController().signal, timeoutMs: 0 };
      return waitForCluster({ client, nodes, waiting, onProgress: (text) => steps.push(text) });
    },
  };
}

describe('a lab is up when its cluster can be used', () => {
  test('API server, add-ons, nodes in the order asked for', async () => {
    const { kinds, namespace, node, wait } = cluster();
    await namespace('kube-system');
    await namespace('metallb-system');
    await kinds();
    await node('agent-1');
    await node('server');
    const steps: string[] = [];
    const ready = await wait(['server', 'agent-1'], steps);
    assert.deepEqual(
      ready.map(({ name }) => name),
      ['server', 'agent-1'],
    );
    assert.equal(steps.at(-1), '2 nodes are Ready');
  });

  test('without the kinds of the load balancer it is not', async () => {
    const { namespace, node, wait } = cluster();
    await namespace('kube-system');
    await namespace('metallb-system');
    await node('server');
    await assert.rejects(wait(['server']), /add-ons: not within 0 s/);
  });

  test('the error names the nodes that are missing', async () => {
    const { kinds, namespace, node, wait } = cluster();
    await namespace('kube-system');
    await namespace('metallb-system');
    await kinds();
    await node('server');
    await node('agent-1', false);
    await assert.rejects(wait(['server', 'agent-1', 'agent-2']), /not Ready: agent-1, agent-2/);
  });
});
