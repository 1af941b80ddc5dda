/*
 * What a node does with pods, on a real containerd. Runs as PID 1's child in namespaces of its own (see pods-on-containerd.test.ts), with
 * arguments: folder, cgroup.
 */
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { get } from 'node:https';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { systemClock } from '@ballast/base';
import { CONFIG_MAPS, EVENTS, NODES, PODS, SECRETS, SERVICES } from '@ballast/kube';
import { HELLO_IMAGE } from '../image/built-in-images.ts';
import { execute } from './command-client.ts';
import { isReady, TestMachine } from './machine.ts';

const [, , dir = '', cgroupRoot = ''] = process.argv;
const machine = new TestMachine(dir, cgroupRoot);
const { client } = machine;
const image = HELLO_IMAGE;
const shell = (script: string) => ({ image, command: ['sh', '-c', script] });
const quick = { terminationGracePeriodSeconds: 1 };

async function eventsOf(name: string): Promise<string[]> {
  const { items } = await client.list(EVENTS);
  return items
    .filter((event) => event.involvedObject.name === name)
    .map(({ reason, message }) => `${reason}: ${message}`);
}

function nodeApi(path: string, tls: object = machine.clientTls): Promise<{ statusCode: number; body: string }> {
  return new Promise((resolve, reject) => {
    const options = { ...tls, checkServerIdentity: () => undefined, agent: false };
    get(`https://127.0.0.1:${machine.port}${path}`, options, (response) => {
      let body = '';
      response.on('data', (chunk: Buffer) => {
        body += chunk.toString('utf8');
      });
      response.on('end', () => resolve({ statusCode: response.statusCode ?? 0, body }));
    }).on('error', reject);
  });
}

describe('pods on containerd', () => {
  before(async () => {
    await client.create(SERVICES, {
      metadata: { namespace: 'default', name: 'kubernetes' },
      spec: { clusterIP: '10.43.0.1', ports: [{ name: 'https', port: 443, protocol: 'TCP' }] },
    });
    await machine.startContainerd();
    await machine.startAgent();
  });
  after(() => machine.stop());

  test('the node registers and becomes ready', async () => {
    for (let tries = 0; ; tries += 1) {
      const node = await client.find(NODES, { name: 'node-1' });
      if (node?.status?.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True')) break;
      assert.ok(tries < 500, 'node not ready');
      await systemClock.sleep(20);
    }
  });

  test('a pod starts, with its identity in its environment, and is reported', async () => {
    const env = [
      { name: 'POD_NAME', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } },
      { name: 'POD_IP', valueFrom: { fieldRef: { fieldPath: 'status.podIP' } } },
      { name: 'GREETING', value: 'I am $(POD_NAME), not $$(POD_NAME)' },
    ];
    const readinessProbe = { httpGet: { port: 'http', path: '/healthz' } };
    const ports = [{ name: 'http', containerPort: 8080 }];
    const startMs = systemClock.monotonicMs();
    await machine.create('web', { containers: [{ name: 'main', image, env, readinessProbe, ports }] });
    const pod = await machine.untilReady('web');
    console.log(`# web ready after ${Math.round(systemClock.monotonicMs() - startMs)} ms`);
    assert.equal(pod.status?.phase, 'Running');
    const answer = await (await fetch(`http://${pod.status?.podIP}:8080/`)).text();
    assert.match(answer, new RegExp(`^Hello from pod web \\(${pod.status?.podIP}\\)`));
    const shown = await execute(machine, {
      pod: 'web',
      command: ['sh', '-c', 'echo $GREETING; echo $KUBERNETES_SERVICE_HOST; cat /etc/resolv.conf'],
    });
    const [greeting, host, search] = shown.stdout.split('\n');
    assert.deepEqual([greeting, host], ['I am web, not $(POD_NAME)', '10.43.0.1']);
    assert.equal(search, 'search default.svc.cluster.local svc.cluster.local cluster.local');
    const events = await eventsOf('web');
    assert.ok(events.includes(`Pulled: Container image "${image}" already present on machine`), events.join('\n'));
    assert.ok(events.includes('Started: Started container main'), events.join('\n'));
  });

  test('exec: input ends when the client says so, exit codes come through', async () => {
    const cat = await execute(machine, { pod: 'web', command: ['cat'], input: 'over and out' });
    assert.equal(cat.stdout, 'over and out');
    assert.equal(cat.status.status, 'Success');
    const failed = await execute(machine, { pod: 'web', command: ['sh', '-c', 'echo no >&2; exit 7'] });
    assert.equal(failed.stderr, 'no\n');
    assert.equal(failed.status.details?.causes?.[0]?.message, '7');
  });

  test('logs: the last lines, and only for the API server', async () => {
    const { statusCode, body } = await nodeApi('/containerLogs/default/web/main?tailLines=1&timestamps=true');
    assert.equal(statusCode, 200);
    assert.match(body, /^\d{4}-.*Z hello 1: web serves on port 8080\n$/);
    assert.equal((await nodeApi('/containerLogs/default/web/main', { ca: machine.clientTls.ca })).statusCode, 401);
    const stranger = {
      cert: readFileSync(join(dir, 'tls/stranger.crt')),
      key: readFileSync(join(dir, 'tls/stranger.key')),
    };
    assert.equal((await nodeApi('/pods', { ...stranger, ca: machine.clientTls.ca })).statusCode, 403);
    assert.equal((await nodeApi('/containerLogs/default/web/nobody')).statusCode, 400);
    assert.equal((await nodeApi('/healthz', { ca: machine.clientTls.ca })).body, 'ok');
  });

  test('a restart of the agent touches no pod and makes none unready', async () => {
    const before = await machine.get('web');
    const restarts = { containers: [{ name: 'main', ...shell('exit 3') }], restartPolicy: 'Always' as const };
    await machine.create('crash', { ...restarts, ...quick });
    await machine.until(
      'crash',
      'in CrashLoopBackOff',
      (pod) => pod.status?.containerStatuses?.[0]?.state?.waiting?.reason === 'CrashLoopBackOff',
    );
    await machine.stopAgent();
    const stop = new AbortController();
    let sawUnready = false;
    const watching = (async () => {
      const signal = stop.signal;
      for await (const event of client.watch(PODS, { namespace: 'default', sendInitialEvents: true, signal })) {
        if (event.type !== 'BOOKMARK' && event.object.metadata.name === 'web' && !isReady(event.object))
          sawUnready = true;
      }
    })();
    await machine.startAgent();
    await systemClock.sleep(1500);
    stop.abort();
    await watching;
    const now = await machine.get('web');
    assert.equal(now.status?.containerStatuses?.[0]?.containerID, before.status?.containerStatuses?.[0]?.containerID);
    assert.equal(now.status?.containerStatuses?.[0]?.restartCount, 0);
    assert.equal(sawUnready, false);
  });

  test('a crashing container is started again, then waits, and tells how it ended', async () => {
    const pod = await machine.until(
      'crash',
      'waiting',
      (one) => one.status?.containerStatuses?.[0]?.state?.waiting?.reason === 'CrashLoopBackOff',
    );
    const [status] = pod.status?.containerStatuses ?? [];
    assert.ok((status?.restartCount ?? 0) >= 1);
    assert.equal(status?.lastState?.terminated?.exitCode, 3);
    assert.match(
      status?.state?.waiting?.message ?? '',
      /^back-off \d+s restarting failed container=main pod=crash_default\(/,
    );
    assert.match((await nodeApi('/containerLogs/default/crash/main?previous=true')).body, /^$/);
    await machine.delete('crash');
  });

  test('init containers run in order, a sidecar beside the rest, and a finished pod is Succeeded', async () => {
    const mount = { volumeMounts: [{ name: 'scratch', mountPath: '/scratch' }] };
    const startMs = systemClock.monotonicMs();
    await machine.create('batch', {
      ...quick,
      restartPolicy: 'Never',
      volumes: [{ name: 'scratch', emptyDir: {} }],
      initContainers: [
        { name: 'first', ...shell('echo 1 >> /scratch/order'), ...mount },
        {
          name: 'helper',
          ...shell('echo helper >> /scratch/order; trap "exit 0" TERM; while true; do sleep 0.1; done'),
          restartPolicy: 'Always',
          ...mount,
        },
        { name: 'second', ...shell('sleep 0.3; echo 2 >> /scratch/order'), ...mount },
      ],
      containers: [{ name: 'main', ...shell('cat /scratch/order > /dev/termination-log'), ...mount }],
    });
    const pod = await machine.until('batch', 'Succeeded', (one) => one.status?.phase === 'Succeeded');
    console.log(`# batch done after ${Math.round(systemClock.monotonicMs() - startMs)} ms`);
    const ended = pod.status?.containerStatuses?.[0]?.state?.terminated;
    assert.deepEqual([ended?.exitCode, ended?.reason, ended?.message], [0, 'Completed', '1\nhelper\n2\n']);
    assert.deepEqual(
      pod.status?.initContainerStatuses?.map(({ state }) => Object.keys(state ?? {})[0]),
      ['terminated', 'terminated', 'terminated'],
    );
    await machine.delete('batch');
  });

  test('a failing liveness probe restarts the container', async () => {
    const livenessProbe = { exec: { command: ['cat', '/tmp/alive'] }, periodSeconds: 1, failureThreshold: 1 };
    await machine.create('sick', {
      ...quick,
      containers: [{ name: 'main', ...shell('exec sleep 1000'), livenessProbe }],
    });
    await machine.until('sick', 'restarted', (pod) => (pod.status?.containerStatuses?.[0]?.restartCount ?? 0) >= 1);
    const events = await eventsOf('sick');
    assert.ok(
      events.some((event) => event.startsWith('Unhealthy: Liveness probe failed: cat:')),
      events.join('\n'),
    );
    assert.ok(events.includes('Killing: Container main failed liveness probe, will be restarted'), events.join('\n'));
    await machine.delete('sick');
  });

  test('volumes: missing objects hold a pod back, changes of present ones reach it', async () => {
    const mounts = [
      { name: 'config', mountPath: '/config' },
      { name: 'secret', mountPath: '/secret', readOnly: true },
      { name: 'memory', mountPath: '/memory' },
      { name: 'config', mountPath: '/one', subPath: 'key' },
      { name: 'facts', mountPath: '/facts' },
    ];
    await client.create(SECRETS, {
      metadata: { namespace: 'default', name: 'secret' },
      data: { password: Buffer.from('hush').toString('base64') },
    });
    await machine.create('volumes', {
      ...quick,
      securityContext: { runAsUser: 1000, runAsGroup: 3000, fsGroup: 2000 },
      volumes: [
        { name: 'config', configMap: { name: 'late' } },
        { name: 'secret', secret: { secretName: 'secret', defaultMode: 0o400 } },
        { name: 'memory', emptyDir: { medium: 'Memory', sizeLimit: '8Mi' } },
        { name: 'facts', downwardAPI: { items: [{ path: 'labels', fieldRef: { fieldPath: 'metadata.labels' } }] } },
      ],
      containers: [
        {
          name: 'main',
          ...shell('exec sleep 1000'),
          volumeMounts: mounts,
          securityContext: {
            readOnlyRootFilesystem: true,
            capabilities: { drop: ['ALL'] },
            allowPrivilegeEscalation: false,
          },
          resources: { limits: { memory: '64Mi', cpu: '500m' } },
        },
      ],
    });
    for (let tries = 0; ; tries += 1) {
      const failed = (await eventsOf('volumes')).some((event) => event.includes('configmap "late" not found'));
      if (failed) break;
      assert.ok(tries < 200, 'no event about the missing ConfigMap');
      await systemClock.sleep(20);
    }
    await client.create(CONFIG_MAPS, { metadata: { namespace: 'default', name: 'late' }, data: { key: 'one' } });
    const pod = await machine.untilReady('volumes');
    assert.equal(pod.status?.qosClass, 'Guaranteed');
    const script =
      'cat /config/key /one /secret/password /facts/labels; echo; id -u; id -G; echo x > /memory/x && echo wrote; touch /x 2>&1; stat -c %g /memory; df /memory | tail -1';
    const shown = await execute(machine, { pod: 'volumes', command: ['sh', '-c', script] });
    const lines = shown.stdout.split('\n');
    assert.equal(lines[0], 'oneonehushapp="volumes"');
    assert.deepEqual(lines.slice(1, 4), ['1000', '3000 2000', 'wrote']);
    assert.match(lines[4] ?? '', /Read-only file system/);
    assert.equal(lines[5], '2000');
    assert.match(lines[6] ?? '', /^tmpfs +8192 /);
    await client.patch(
      CONFIG_MAPS,
      { namespace: 'default', name: 'late' },
      { type: 'merge', body: { data: { key: 'two' } } },
    );
    for (let tries = 0; ; tries += 1) {
      if ((await execute(machine, { pod: 'volumes', command: ['cat', '/config/key'] })).stdout === 'two') break;
      assert.ok(tries < 50, 'the change does not arrive');
      await systemClock.sleep(50);
    }
    await machine.delete('volumes');
  });

  test('other resources reach a running container without a restart', async () => {
    const containers = (cpu: string) => [{ name: 'main', ...shell('exec sleep 1000'), resources: { limits: { cpu } } }];
    await machine.create('resized', { ...quick, containers: containers('500m') });
    const before = await machine.untilReady('resized');
    const quota = async () => {
      const command = ['sh', '-c', 'cat /sys/fs/cgroup/cpu/cpu.cfs_quota_us /sys/fs/cgroup/cpu.max 2>/dev/null'];
      return (await execute(machine, { pod: 'resized', command })).stdout.split(/\s/)[0];
    };
    assert.equal(await quota(), '50000');
    const spec = { containers: containers('750m') };
    await client.patch(PODS, { namespace: 'default', name: 'resized' }, { type: 'merge', body: { spec } });
    for (let tries = 0; (await quota()) !== '75000'; tries += 1) {
      assert.ok(tries < 50, 'the limit does not change');
      await systemClock.sleep(20);
    }
    const after = await machine.get('resized');
    assert.equal(after.status?.containerStatuses?.[0]?.containerID, before.status?.containerStatuses?.[0]?.containerID);
    await machine.delete('resized');
  });

  test('deletion: preStop hook, SIGTERM, the last status, and nothing is left', async () => {
    const lifecycle = { preStop: { exec: { command: ['sh', '-c', 'echo hook > /proc/1/fd/1; sleep 0.5'] } } };
    const pod = await machine.create('leaver', {
      terminationGracePeriodSeconds: 10,
      containers: [
        { name: 'main', ...shell('trap "echo term; exit 0" TERM; echo up; while true; do sleep 0.1; done'), lifecycle },
      ],
    });
    await machine.untilReady('leaver');
    const stop = new AbortController();
    let last = '';
    const watching = (async () => {
      for await (const event of client.watch(PODS, {
        namespace: 'default',
        sendInitialEvents: true,
        signal: stop.signal,
      })) {
        if (event.type !== 'BOOKMARK' && event.object.metadata.name === 'leaver')
          last = `${event.type} ${event.object.status?.phase}`;
      }
    })();
    const tookMs = await machine.delete('leaver', 10);
    assert.ok(tookMs > 500 && tookMs < 5000, `took ${tookMs} ms`);
    await systemClock.sleep(300);
    stop.abort();
    await watching;
    assert.equal(last, 'DELETED Succeeded');
    const uid = pod.metadata.uid ?? '';
    assert.equal(existsSync(join(machine.stateDir, 'pods', uid)), false);
    assert.equal(existsSync(`/sys/fs/cgroup/pids${cgroupRoot}/besteffort/pod${uid}`), false);
  });

  test('a missing image is said to be missing', async () => {
    await machine.create('missing', { ...quick, containers: [{ name: 'main', image: '127.0.0.1:1/none:1' }] });
    const isWaiting = (reason: string) => (one: Awaited<ReturnType<typeof machine.get>>) =>
      one.status?.containerStatuses?.[0]?.state?.waiting?.reason === reason;
    await machine.until('missing', 'ErrImagePull', isWaiting('ErrImagePull'));
    await machine.delete('missing');
  });

  test('the death of containerd harms no pod', async () => {
    const before = await machine.get('web');
    const [pid = 0] = machine.pids('containerd');
    const killedAtMs = Date.now();
    process.kill(pid, 'SIGKILL');
    await systemClock.sleep(300);
    assert.equal((await fetch(`http://${before.status?.podIP}:8080/healthz`)).status, 200);
    for (let tries = 0; ; tries += 1) {
      const [now] = machine.pids('containerd');
      if (now !== undefined && now !== pid) break;
      assert.ok(tries < 100, 'containerd does not come back');
      await systemClock.sleep(50);
    }
    await machine.create('after-death', quick);
    await machine.untilReady('after-death');
    await machine.delete('after-death');
    const now = await machine.get('web');
    assert.equal(now.status?.containerStatuses?.[0]?.containerID, before.status?.containerStatuses?.[0]?.containerID);
    assert.ok(isReady(now));
    const node = await client.get(NODES, { name: 'node-1' });
    const ready = node.status?.conditions?.find(({ type }) => type === 'Ready');
    assert.ok(Date.parse(ready?.lastTransitionTime ?? '') <= killedAtMs, 'the node was not Ready for a moment');
  });

  test('a pod that was deleted while the agent was away is removed', async () => {
    await machine.create('forgotten', quick);
    const pod = await machine.untilReady('forgotten');
    await machine.stopAgent();
    client.forceRemove(PODS, { namespace: 'default', name: 'forgotten' });
    await machine.startAgent();
    for (let tries = 0; ; tries += 1) {
      const answer = await fetch(`http://${pod.status?.podIP}:8080/healthz`, {
        signal: AbortSignal.timeout(300),
      }).catch(() => undefined);
      if (!answer) break;
      assert.ok(tries < 400, 'it still answers');
      await systemClock.sleep(50);
    }
  });

  test('after a power cut pods run again, in new sandboxes', async () => {
    const before = await machine.get('web');
    await machine.powerCut();
    await machine.startContainerd();
    const startMs = systemClock.monotonicMs();
    await machine.startAgent();
    const pod = await machine.until(
      'web',
      'back',
      (one) =>
        isReady(one) &&
        one.status?.containerStatuses?.[0]?.containerID !== before.status?.containerStatuses?.[0]?.containerID,
    );
    console.log(`# web back ${Math.round(systemClock.monotonicMs() - startMs)} ms after the start of the agent`);
    assert.equal(pod.status?.containerStatuses?.[0]?.restartCount, 1);
    assert.deepEqual(machine.reservedAddresses(), [pod.status?.podIP], 'the dead sandbox has given its address back');
    assert.equal((await fetch(`http://${pod.status?.podIP}:8080/healthz`)).status, 200);
    await machine.delete('web');
  });
});
