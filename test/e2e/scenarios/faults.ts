import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { CONFIG_MAPS, type ConfigMap, NODES } from '@ballast/kube';
import { faults, nodesOf } from '@ballast/lab';
import type { LoadReport } from '../http-load.ts';
import { helloService, yamlOf } from '../manifests.ts';
import { eventually, type Stage, sleep } from '../stage.ts';
import { externalAddress, nextHops } from './claims.ts';

function tell(t: TestContext, what: string, report: LoadReport): void {
  const { requests, failures, longestGapMs, medianMs, p99Ms } = report;
  t.diagnostic(
    `${what}: ${requests} requests, ${failures.length} failed, longest gap ${longestGapMs} ms, median ${medianMs} ms, p99 ${p99Ms} ms`,
  );
}

/** What happens under load when things change or die. Gaps are reported, not limited: machines differ. */
export function faultScenarios(stage: () => Stage): void {
  test('a rolling update under load fails no request', async (t) => {
    const address = await externalAddress(stage(), 'hello');
    const load = stage().loadFromClient({ url: `http://${address}/json/`, seconds: 120, intervalMs: 20 });
    await sleep(1000);
    await stage().kubectl('set', 'image', 'deployment/hello', 'hello=registry.ballast.dev/hello:2');
    await stage().kubectl('rollout', 'status', 'deployment/hello', '--timeout=100s');
    await sleep(1000);
    const report = await load.stop();
    tell(t, 'rolling update', report);
    assert.deepEqual(report.failures, []);
    assert.equal((await stage().fetchFrom('client', `http://${address}/json/`)).version, '2');
    assert.ok(report.answers > 100);
  });

  for (const role of ['apiserver', 'controller', 'node', 'dns'] as const) {
    test(`SIGKILL of every ${role} role under load: no lost write, no failed request`, async (t) => {
      const address = await externalAddress(stage(), 'hello');
      const load = stage().loadFromClient({
        url: `http://${address}/json/`,
        seconds: 120,
        intervalMs: 20,
        timeoutMs: 5000,
      });
      await sleep(500);
      const written = writeUntilStopped(stage(), `kill-${role}`);
      await sleep(500);
      for (const { name, role: machineRole } of nodesOf(stage().lab.topology)) {
        if (machineRole === 'agent' && (role === 'apiserver' || role === 'controller')) continue;
        await faults.killRole(stage().lab, name, role);
        await sleep(1500);
      }
      const acknowledged = await written.stop();
      const report = await load.stop();
      tell(t, `SIGKILL ${role}`, report);
      await eventually(async () => {
        const stored = await stage().client.list<ConfigMap>(CONFIG_MAPS, {
          namespace: 'default',
          labelSelector: `run=kill-${role}`,
        });
        const names = new Set(stored.items.map(({ metadata }) => metadata.name));
        assert.deepEqual(
          acknowledged.filter((name) => !names.has(name)),
          [],
          'acknowledged writes are lost',
        );
      });
      assert.ok(acknowledged.length > 10, `only ${acknowledged.length} writes were acknowledged`);
      assert.deepEqual(report.failures, []);
      await stage().kubectl(
        'delete',
        '--raw',
        `/api/v1/namespaces/default/configmaps?labelSelector=run%3Dkill-${role}`,
      );
    });
  }

  test('death of the announcing node under load: another answers ARP', async (t) => {
    const address = await externalAddress(stage(), 'hello');
    const owner = await eventually(() => announcer(stage(), address));
    await measureNodeDeath(t, stage(), owner, { what: `ARP failover from ${owner}`, url: `http://${address}/json/` });
  });

  test('death of a node under load: the router takes its route away', async (t) => {
    await stage().apply(
      yamlOf(
        helloService({
          name: 'routed',
          app: 'hello',
          annotations: { 'metallb.io/address-pool': 'routed' },
          spec: { type: 'LoadBalancer' },
        }),
      ),
    );
    const address = await externalAddress(stage(), 'routed');
    assert.match(address, /^198\.51\.100\./);
    await eventually(async () => assert.equal((await nextHops(stage(), address)).length, 3));
    await eventually(() => stage().fetchFrom('client', `http://${address}/json/`));
    await measureNodeDeath(t, stage(), 'agent-2', {
      what: 'BGP failover from agent-2',
      url: `http://${address}/json/`,
    });
    await eventually(async () => assert.equal((await nextHops(stage(), address)).length, 3));
    await stage().kubectl('delete', 'service', 'routed');
  });
}

/** Creates ConfigMaps one after the other; resolves with the names of those that the server acknowledged. */
function writeUntilStopped(stage: Stage, run: string): { stop(): Promise<string[]> } {
  let stopped = false;
  const acknowledged: string[] = [];
  const writing = (async () => {
    for (let i = 0; !stopped; i++) {
      const name = `${run}-${i}`;
      try {
        await stage.client.create(CONFIG_MAPS, {
          metadata: { namespace: 'default', name, labels: { run } },
          data: { i: String(i) },
        });
        acknowledged.push(name);
      } catch {
        // Not acknowledged: it may be there or not.
      }
      await sleep(10);
    }
  })();
  return {
    async stop() {
      stopped = true;
      await writing;
      return acknowledged;
    },
  };
}

/** The node whose MAC the client has for an address. */
async function announcer(stage: Stage, address: string): Promise<string> {
  const neighbour = await stage.on('client', 'ip', 'neigh', 'show', address);
  const found = nodesOf(stage.lab.topology).find(({ mac }) => mac !== undefined && neighbour.includes(mac));
  assert.ok(found, `no node announces ${address}: ${neighbour}`);
  return found.name;
}

/** Cuts the power of a node while the client sends requests; new connections must work again, and the node must come back. */
async function measureNodeDeath(
  t: TestContext,
  stage: Stage,
  node: string,
  { what, url }: { what: string; url: string },
): Promise<void> {
  const load = stage.loadFromClient({ url, seconds: 120, intervalMs: 20, timeoutMs: 1000 });
  await sleep(1000);
  await faults.kill(stage.lab, node);
  await sleep(15_000);
  const report = await load.stop();
  tell(t, what, report);
  const lastFailureMs = Math.max(0, ...report.failures.map(({ atMs }) => atMs));
  t.diagnostic(`${what}: last failed request was sent ${Math.max(0, lastFailureMs - 1000)} ms after the power cut`);
  await faults.start(stage.lab, node);
  await eventually(async () => {
    const { items } = await stage.client.list(NODES);
    const ready = items.filter(({ status }) =>
      status?.conditions?.some((condition) => condition.type === 'Ready' && condition.status === 'True'),
    );
    assert.equal(ready.length, 3);
  });
  assert.ok(lastFailureMs < 14_000, 'requests still fail long after the power cut');
  await stage.kubectl('rollout', 'status', 'deployment/hello', '--timeout=90s');
}
