import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { systemClock } from '@ballast/base';
import {
  CUSTOM_RESOURCE_DEFINITIONS,
  FakeClient,
  type KubeObject,
  LEASES,
  type Lease,
  NAMESPACES,
  NODES,
} from '@ballast/kube';
import { METALLB_CRDS } from '@ballast/loadbalancer';
import { waitForCluster } from './lab-readiness.ts';

const STARTED_MS = Date.UTC(2030, 0, 1);

function cluster() {
  const client = new FakeClient();
  const condition = (type: string) => ({ status: { conditions: [{ type, status: 'True' as const }] } });
  return {
    client,
    namespace: (name: string) => client.create(NAMESPACES, { metadata: { name } }),
    async node(name: string, { ready = true, renewedMs = STARTED_MS } = {}) {
      await client.create(NODES, { metadata: { name }, ...(ready ? condition('Ready') : {}) });
      const renewTime = new Date(renewedMs).toISOString();
      await client.create<Lease>(LEASES, { metadata: { name, namespace: 'kube-node-lease' }, spec: { renewTime } });
    },
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
      return waitForCluster({ client, nodes, sinceMs: STARTED_MS, waiting, onProgress: (text) => steps.push(text) });
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
    await node('agent-1', { ready: false });
    await assert.rejects(wait(['server', 'agent-1', 'agent-2']), /not Ready: agent-1, agent-2/);
  });

  test('a node that was Ready before the cluster was switched on again is not', async () => {
    const { kinds, namespace, node, wait } = cluster();
    await namespace('kube-system');
    await namespace('metallb-system');
    await kinds();
    await node('server');
    await node('agent-1', { renewedMs: STARTED_MS - 1 });
    await assert.rejects(wait(['server', 'agent-1']), /not Ready: agent-1/);
  });
});
