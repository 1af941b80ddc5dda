import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { SimulatedClock, silentLogger } from '@ballast/base';
import { FakeClient, LEASES, NODES } from '@ballast/kube';
import type { CriClient } from '../cri/client.ts';
import { parseAvailableMemory, parseOsRelease } from './machine.ts';
import { isNews, nodeStatus, type RuntimeHealth } from './node-object.ts';
import { RuntimePatience, startRegistration } from './register.ts';

const good: RuntimeHealth = { name: 'containerd', version: '1', runtimeReady: true, networkReady: true, message: '' };
const bad: RuntimeHealth = { ...good, runtimeReady: false, message: 'container runtime is down' };

describe('a runtime that is away', () => {
  test('is told of only after 30 s', () => {
    const patience = new RuntimePatience(0);
    const at = (nowMs: number) => ({ wasReady: true, nowMs });
    assert.equal(patience.judge(good, at(1000)), good);
    assert.equal(patience.judge(bad, at(2000)), good);
    assert.equal(patience.judge(bad, at(30_999)), good);
    assert.equal(patience.judge(bad, at(31_000)), bad);
    assert.equal(patience.judge(good, at(32_000)), good);
  });

  test('when the agent has just started: the earlier report stays, a new node says what it sees', () => {
    assert.equal(new RuntimePatience(0).judge(bad, { wasReady: true, nowMs: 10 }), undefined);
    assert.equal(new RuntimePatience(0).judge(bad, { wasReady: false, nowMs: 10 }), bad);
  });
});

describe('node status', () => {
  const identity = { nodeName: 'n', nodeIps: ['192.0.2.11'], labels: {}, taints: [], port: 10250, version: 'v1' };
  const machine = {
    milliCpu: 2000,
    memoryBytes: 2 ** 31,
    ephemeralBytes: 2 ** 33,
    machineId: 'm',
    bootId: 'b',
    systemUuid: 's',
    kernelVersion: 'k',
    osImage: 'o',
    architecture: 'amd64',
  };
  const pressure = { memory: false, disk: false };
  const of = (health: RuntimeHealth, nowMs: number, old = {}) =>
    nodeStatus({ identity, machine, health, pressure, old, nowMs });

  test('heartbeats are no news, changes are, and conditions of others stay', () => {
    const first = of(good, 0);
    assert.equal(isNews({}, first), true);
    assert.equal(isNews(first, of(good, 60_000, first)), false);
    assert.equal(isNews(first, of(bad, 60_000, first)), true);
    const foreign = { type: 'NetworkUnavailable', status: 'False' as const };
    const old = { ...first, conditions: [...(first.conditions ?? []), foreign] };
    assert.ok(of(good, 1, old).conditions?.includes(foreign));
  });

  test('the time of a condition is that of its last change', () => {
    const first = of(good, 0);
    const later = of(bad, 60_000, first);
    const time = (type: string) => later.conditions?.find((condition) => condition.type === type)?.lastTransitionTime;
    assert.equal(time('Ready'), '1970-01-01T00:01:00Z');
    assert.equal(time('MemoryPressure'), '1970-01-01T00:00:00Z');
  });
});

describe('what others write about the node', () => {
  const machine = {
    milliCpu: 2000,
    memoryBytes: 2 ** 31,
    ephemeralBytes: 2 ** 33,
    machineId: 'm',
    bootId: 'b',
    systemUuid: 's',
    kernelVersion: 'k',
    osImage: 'o',
    architecture: 'amd64',
  };
  const conditions = ['RuntimeReady', 'NetworkReady'].map((type) => ({ type, status: true, reason: '', message: '' }));
  const cri = {
    version: async () => ({ runtimeName: 'containerd', runtimeVersion: '1' }),
    status: async () => ({ status: { conditions } }),
  } as unknown as CriClient;
  const readiness = async (client: FakeClient) =>
    (await client.find(NODES, { name: 'n' }))?.status?.conditions?.find(({ type }) => type === 'Ready')?.status;
  const begin = (client: FakeClient, clock: SimulatedClock) =>
    startRegistration({
      client,
      cri,
      identity: { nodeName: 'n', nodeIps: ['192.0.2.11'], labels: {}, taints: [], port: 10250, version: 'v1' },
      machine,
      stateDir: '/',
      clock,
      logger: silentLogger,
    });
  /** Simulated time passes while the real file system answers. */
  const pass = async (clock: SimulatedClock, ms: number) => {
    for (let at = 0; at < ms; at += 500) {
      await clock.advance(500);
      await new Promise((resolve) => setImmediate(resolve));
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
  };
  const blame = (client: FakeClient) => {
    const body = { status: { conditions: [{ type: 'Ready', status: 'Unknown', reason: 'NodeStatusUnknown' }] } };
    return client.patch(NODES, { name: 'n' }, { type: 'merge', body }, { subresource: 'status' });
  };

  test('NotReady is put right within seconds, not at the next heartbeat', async () => {
    const [client, clock] = [new FakeClient(), new SimulatedClock()];
    await using _registration = begin(client, clock);
    await pass(clock, 3000);
    assert.equal(await readiness(client), 'True');
    await blame(client);
    await pass(clock, 13_000);
    assert.equal(await readiness(client), 'True');
  });

  test('after a lapse of the lease at once', async () => {
    const [client, clock] = [new FakeClient(), new SimulatedClock()];
    await using _registration = begin(client, clock);
    await pass(clock, 11_000);
    const patch = client.patch.bind(client);
    Reflect.set(client, 'patch', (...args: Parameters<typeof patch>) =>
      args[0].plural === LEASES.plural ? Promise.reject(new Error('cut off')) : patch(...args),
    );
    await pass(clock, 18_000);
    await blame(client);
    Reflect.set(client, 'patch', patch);
    await pass(clock, 4500);
    assert.equal(await readiness(client), 'True');
  });

  test('a Node that was deleted is registered again', async () => {
    const [client, clock] = [new FakeClient(), new SimulatedClock()];
    await using _registration = begin(client, clock);
    await pass(clock, 3000);
    await client.delete(NODES, { name: 'n' });
    await pass(clock, 14_000);
    assert.equal(await readiness(client), 'True');
  });
});

test('os-release and meminfo', () => {
  assert.equal(
    parseOsRelease('NAME=x\nPRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\n'),
    'Debian GNU/Linux 12 (bookworm)',
  );
  assert.equal(parseOsRelease(''), 'Linux');
  assert.equal(parseAvailableMemory('MemTotal: 5 kB\nMemAvailable:   2048 kB\n'), 2 * 1024 * 1024);
});
