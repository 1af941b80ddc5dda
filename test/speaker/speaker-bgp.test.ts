import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { after, before, test } from 'node:test';
import { type Frr, frrIsInstalled, startFrr } from './frr.ts';
import { createTestNetwork, eventually, type TestNetwork } from './network.ts';

const FRR_CONFIG = `
router bgp 64512
 bgp router-id 192.0.2.1
 no bgp ebgp-requires-policy
 bgp graceful-restart stalepath-time 30
 neighbor 192.0.2.11 remote-as 64513
 neighbor 192.0.2.11 timers 1 3
`;

interface Answer {
  readonly l2: readonly { node: string; serviceName: string }[];
  readonly bgp: readonly { node: string; serviceName: string; peers: string[] }[];
  readonly states: readonly { name: string; result: string }[];
  readonly events: readonly string[];
  readonly metrics: string;
}

let network: TestNetwork;
let frr: Frr;
let stateDir: string;
const children = new Set<{ child: ChildProcess; ended: Promise<unknown> }>();

before(async () => {
  if (!frrIsInstalled) return;
  stateDir = await mkdtemp(join(tmpdir(), 'ballast-speaker-'));
  network = await createTestNetwork({ router: ['192.0.2.1/24'], 'node-1': ['192.0.2.11/24'] });
  frr = await startFrr({ namespace: network.namespaceOf('router'), config: FRR_CONFIG });
});

after(async () => {
  for (const { child, ended } of children) {
    child.kill('SIGKILL');
    await ended;
  }
  await frr?.[Symbol.asyncDispose]();
  await network?.[Symbol.asyncDispose]();
  if (stateDir) await rm(stateDir, { recursive: true, force: true });
});

function start() {
  const entry = new URL('./speaker-child.ts', import.meta.url).pathname;
  const child = spawn(
    'ip',
    ['netns', 'exec', network.namespaceOf('node-1'), process.execPath, entry, 'node-1', '192.0.2.11'],
    {
      stdio: ['pipe', 'pipe', process.env.SPEAKER_LOG ? 'inherit' : 'ignore'],
      env: { ...process.env, SPEAKER_BGP: '1', SPEAKER_STATE: stateDir },
    },
  );
  const ended = new Promise((resolve) => child.once('exit', resolve));
  children.add({ child, ended });
  child.stdin.on('error', () => {});
  const lines = createInterface({ input: child.stdout });
  return {
    ask: (): Promise<Answer> =>
      new Promise((resolve) => {
        lines.once('line', (line) => resolve(JSON.parse(line) as Answer));
        child.stdin.write('?\n');
      }),
    block: () => child.stdin.write('busy\n'),
    async kill(signal: 'SIGKILL' | 'SIGTERM') {
      child.kill(signal);
      await ended;
    },
  };
}

const route = () => network.on('router', 'ip', 'route', 'show', 'proto', 'bgp', '192.0.2.200/32');

test('Services become routes, and status, state, events and metrics say so', {
  skip: !frrIsInstalled && 'FRR is not installed',
}, async (t) => {
  let slowest = 0;
  const speaker = start();
  await eventually(route, (text) => text.includes('via 192.0.2.11'));
  const { answer } = await eventually(
    () => speaker.ask(),
    (now) =>
      now.bgp.length === 4 &&
      now.l2.length === 4 &&
      now.metrics.includes('metallb_bgp_session_up{peer="192.0.2.1:179"} 1'),
  );
  assert.deepEqual(answer.bgp.find(({ serviceName }) => serviceName === 'web-0')?.peers, ['router']);
  assert.deepEqual(answer.states, [{ name: 'speaker-node-1', result: 'Valid' }]);
  assert.ok(answer.events.includes('nodeAssigned: announcing from node "node-1" with protocol "bgp"'));
  assert.ok(answer.events.includes('nodeAssigned: announcing from node "node-1" with protocol "layer2"'));
  assert.match(
    answer.metrics,
    /metallb_speaker_announced\{service="default\/web-0",protocol="layer2",node="node-1",ip="192.0.2.200"\} 1/,
  );
  assert.match(
    answer.metrics,
    /metallb_speaker_announced\{service="default\/web-0",protocol="bgp",node="node-1",ip="192.0.2.200"\} 1/,
  );
  assert.match(answer.metrics, /metallb_bgp_announced_prefixes_total\{peer="192.0.2.1:179"\} 4/);

  // The hold time is 3 s and the main thread is blocked for 6 s: the session and the answers to ARP do not notice.
  const uptime = async () =>
    (await frr.vtysh('show bgp neighbors 192.0.2.11')).match(/Connections established (\d+)/)?.[1];
  const established = await uptime();
  speaker.block();
  for (let i = 0; i < 10; i++) {
    await new Promise((resolve) => setTimeout(resolve, 500));
    const text = await network.on('router', 'busybox', 'arping', '-c', '1', '-w', '1', '-I', 'eth0', '192.0.2.201');
    slowest = Math.max(slowest, Number(/ ([0-9.]+)ms/.exec(text)?.[1] ?? Number.POSITIVE_INFINITY));
  }
  assert.equal(await uptime(), established, 'the session was lost');
  t.diagnostic(`main thread blocked: session kept, slowest of ten ARP answers ${slowest} ms`);

  await speaker.kill('SIGKILL');
  await new Promise((resolve) => setTimeout(resolve, 500));
  assert.match(await route(), /via 192.0.2.11/, 'the route left with the process');
  const successor = start();
  await eventually(
    () => frr.vtysh('show bgp neighbors 192.0.2.11'),
    (text) => /BGP state = Established/.test(text),
    { withinMs: 15_000 },
  );
  assert.match(await route(), /via 192.0.2.11/);
  // Stale paths are marked S; none is left once the successor has told everything.
  await eventually(
    () => frr.vtysh('show bgp ipv4 unicast'),
    (text) => text.includes('192.0.2.200/32') && !/^S[ *>]/m.test(text),
  );
  await successor.kill('SIGTERM');
  const gone = await eventually(route, (text) => text === '');
  t.diagnostic(`withdrawn ${Math.round(gone.afterMs)} ms after the process had ended in order`);
});
