import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { after, before, test } from 'node:test';
import { createTestNetwork, eventually, type TestNetwork } from './network.ts';

const VIPS = ['192.0.2.200', '192.0.2.201', '192.0.2.202', '192.0.2.203'] as const;
const VIP6 = '2001:db8::200';
const NODES = ['node-1', 'node-2', 'node-3'] as const;
type NodeName = (typeof NODES)[number];

let network: TestNetwork;
const macs = new Map<string, NodeName>();
const speakers = new Map<NodeName, { child: ChildProcess; ended: Promise<unknown> }>();

before(async () => {
  network = await createTestNetwork({
    client: ['192.0.2.9/24', '2001:db8::9/64'],
    'node-1': ['192.0.2.11/24', '2001:db8::11/64'],
    'node-2': ['192.0.2.12/24', '2001:db8::12/64'],
    'node-3': ['192.0.2.13/24', '2001:db8::13/64'],
  });
  for (const node of NODES) {
    const links = JSON.parse(await network.on(node, 'ip', '-j', 'link', 'show', 'eth0')) as { address: string }[];
    macs.set(links[0]?.address ?? '', node);
    start(node);
  }
});

after(async () => {
  for (const { child, ended } of speakers.values()) {
    child.kill('SIGKILL');
    await ended;
  }
  await network?.[Symbol.asyncDispose]();
});

function start(node: NodeName): void {
  const number = node.slice(-1);
  const entry = new URL('./speaker-child.ts', import.meta.url).pathname;
  const args = [
    'netns',
    'exec',
    network.namespaceOf(node),
    process.execPath,
    entry,
    node,
    `192.0.2.1${number}`,
    `2001:db8::1${number}`,
  ];
  const child = spawn('ip', args, { stdio: ['ignore', 'ignore', process.env.SPEAKER_LOG ? 'inherit' : 'ignore'] });
  speakers.set(node, { child, ended: new Promise((resolve) => child.once('exit', resolve)) });
}

async function stop(node: NodeName, signal: 'SIGKILL' | 'SIGTERM'): Promise<void> {
  const speaker = speakers.get(node);
  speaker?.child.kill(signal);
  await speaker?.ended;
}

/** The node to which the client's kernel would send packets for an address; it asks if it does not know. */
async function ownerInKernel(address: string): Promise<NodeName | undefined> {
  const text = await network.on('client', 'ip', '-j', 'neigh', 'show', address);
  const [entry] = JSON.parse(text === '' ? '[]' : text) as { lladdr?: string }[];
  return entry?.lladdr === undefined ? undefined : macs.get(entry.lladdr);
}

/** Makes the client's kernel resolve an address anew, then says who answered. */
async function resolve(address: string): Promise<NodeName | undefined> {
  await network.on(
    'client',
    'sh',
    '-c',
    `ip neigh flush to ${address}; timeout 0.3 busybox ping -c1 -W1 ${address} >/dev/null 2>&1 || true`,
  );
  return ownerInKernel(address);
}

const settled = () =>
  eventually(
    () => resolve(VIPS[0]),
    (owner) => owner !== undefined,
    { withinMs: 15_000 },
  );

/** Follows an address in the client's neighbour table; `moved` gives the time at which another node's hardware address was taken up. */
async function movesAfter(
  address: string,
  from: NodeName,
  act: () => Promise<void>,
  withinMs: number,
): Promise<{ to: NodeName; gapMs: number }> {
  const startedMs = performance.now();
  const acting = act();
  const { answer } = await eventually(
    () => ownerInKernel(address),
    (owner) => owner !== undefined && owner !== from,
    { withinMs },
  );
  const gapMs = performance.now() - startedMs;
  await acting;
  return { to: answer ?? from, gapMs };
}

test('RFC 826: exactly one node answers for each address, and all agree which', async (t) => {
  await settled();
  for (const vip of VIPS) {
    const owners = new Set<string | undefined>();
    for (let i = 0; i < 3; i++) owners.add(await resolve(vip));
    assert.equal(owners.size, 1, `${vip}: ${[...owners]}`);
    t.diagnostic(`${vip} is announced by ${[...owners][0]}`);
  }
});

test('RFC 4861: the IPv6 address of a dual-stack Service is announced by the same node', async () => {
  const { answer } = await eventually(
    async () => {
      await network.on('client', 'sh', '-c', `timeout 0.3 busybox ping6 -c1 -W1 ${VIP6} >/dev/null 2>&1 || true`);
      return ownerInKernel(VIP6);
    },
    (owner) => owner !== undefined,
  );
  assert.equal(answer, await resolve(VIPS[0]));
});

test('a killed speaker process keeps its addresses, and answers again when it is back', async (t) => {
  const owner = await resolve(VIPS[0]);
  assert.ok(owner);
  await stop(owner, 'SIGKILL');
  for (let i = 0; i < 10; i++) {
    await new Promise((wait) => setTimeout(wait, 300));
    assert.equal(await ownerInKernel(VIPS[0]), owner, 'the address moved although the node still forwards');
  }
  start(owner);
  const startedMs = performance.now();
  await eventually(
    () => resolve(VIPS[0]),
    (now) => now === owner,
    { withinMs: 15_000 },
  );
  t.diagnostic(`answered again ${Math.round(performance.now() - startedMs)} ms after its start`);
});

test('a node that loses power is replaced in about a second', async (t) => {
  const owner = await resolve(VIPS[0]);
  assert.ok(owner);
  const { to, gapMs } = await movesAfter(
    VIPS[0],
    owner,
    async () => {
      await network.on('switch', 'ip', 'link', 'set', `p-${owner}`, 'down');
      await stop(owner, 'SIGKILL');
    },
    5000,
  );
  t.diagnostic(`power cut: ${owner} -> ${to}, the client's kernel knew after ${Math.round(gapMs)} ms`);
  assert.ok(gapMs < 2500, `took ${gapMs} ms`);
  await network.on('switch', 'ip', 'link', 'set', `p-${owner}`, 'up');
  start(owner);
  const back = await eventually(
    () => ownerInKernel(VIPS[0]),
    (now) => now === owner,
    { withinMs: 15_000 },
  );
  t.diagnostic(`it took its address back ${Math.round(back.afterMs)} ms after its start`);
});

test('a speaker that stops in order hands over at once', async (t) => {
  const owner = await resolve(VIPS[0]);
  assert.ok(owner);
  const { to, gapMs } = await movesAfter(VIPS[0], owner, () => stop(owner, 'SIGTERM'), 5000);
  t.diagnostic(`handed over: ${owner} -> ${to}, the client's kernel knew after ${Math.round(gapMs)} ms`);
  assert.ok(gapMs < 700, `took ${gapMs} ms`);
  start(owner);
});
