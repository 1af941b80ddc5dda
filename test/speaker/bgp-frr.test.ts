import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { after, before, test } from 'node:test';
import type { ChildCommand } from './bgp-child.ts';
import { type Frr, frrIsInstalled, startFrr } from './frr.ts';
import { createTestNetwork, eventually, type TestNetwork } from './network.ts';

const ROUTER = '192.0.2.1';
const HOLD_SECONDS = 3;

const FRR_CONFIG = `
frr defaults traditional
hostname router
router bgp 64512
 bgp router-id ${ROUTER}
 no bgp ebgp-requires-policy
 bgp graceful-restart stalepath-time 30
 neighbor 192.0.2.11 remote-as 64513
 neighbor 192.0.2.11 timers 1 3
 neighbor 192.0.2.11 timers connect 1
 neighbor 192.0.2.12 remote-as 64513
 neighbor 192.0.2.12 timers 1 3
 neighbor 192.0.2.12 password mellon
 neighbor 192.0.2.13 remote-as 64512
 neighbor 192.0.2.13 timers 1 3
 neighbor 2001:db8::11 remote-as 64513
 neighbor 2001:db8::11 timers 1 3
 address-family ipv4 unicast
  maximum-paths 8
  no neighbor 2001:db8::11 activate
 exit-address-family
 address-family ipv6 unicast
  neighbor 192.0.2.11 activate
  neighbor 2001:db8::11 activate
 exit-address-family
`;

interface Speaker extends AsyncDisposable {
  say(...commands: ChildCommand[]): void;
  readonly child: ChildProcess;
}

let network: TestNetwork;
let frr: Frr;

before(async () => {
  if (!frrIsInstalled) return;
  network = await createTestNetwork({
    router: [`${ROUTER}/24`, '2001:db8::1/64'],
    n11: ['192.0.2.11/24', '2001:db8::11/64'],
    n12: ['192.0.2.12/24'],
    n13: ['192.0.2.13/24'],
  });
  frr = await startFrr({ namespace: network.namespaceOf('router'), config: FRR_CONFIG });
});

after(async () => {
  await frr?.[Symbol.asyncDispose]();
  await network?.[Symbol.asyncDispose]();
});

function startSpeaker(host: string, ...args: string[]): Speaker {
  const entry = new URL('./bgp-child.ts', import.meta.url).pathname;
  const child = spawn('ip', ['netns', 'exec', network.namespaceOf(host), process.execPath, entry, ...args], {
    stdio: ['pipe', 'ignore', process.env.BGP_LOG ? 'inherit' : 'ignore'],
  });
  const ended = new Promise((resolve) => child.once('exit', resolve));
  child.stdin.on('error', () => {});
  return {
    child,
    say: (...commands) => child.stdin.write(commands.map((command) => `${JSON.stringify(command)}\n`).join('')),
    async [Symbol.asyncDispose]() {
      child.kill('SIGKILL');
      await ended;
    },
  };
}

type PeerText = Extract<ChildCommand, { kind: 'peers' }>['peers'][number];

function peer(own: string, overrides: Partial<PeerText> = {}): PeerText {
  return {
    name: 'tor',
    address: ROUTER,
    port: 179,
    localAsn: 64513,
    peerAsn: 64512,
    routerId: own,
    holdTimeSeconds: HOLD_SECONDS,
    connectRetryMs: 1000,
    ttl: 1,
    families: ['ipv4-unicast'],
    ...overrides,
  };
}

const announce = (...prefixes: string[]): ChildCommand => ({
  kind: 'routes',
  peer: 'tor',
  announce: prefixes.map((prefix) => ({ prefix })),
  withdraw: [],
});

const kernelRoute = (prefix: string) => network.on('router', 'ip', 'route', 'show', 'proto', 'bgp', prefix);

const options = { skip: !frrIsInstalled && 'FRR is not installed' };

test(
  'a route appears in the kernel of an eBGP neighbour with our address as next hop, and goes when withdrawn',
  options,
  async () => {
    await using speaker = startSpeaker('n11');
    speaker.say({ kind: 'peers', peers: [peer('192.0.2.11')] }, announce('192.0.2.200/32'));
    await eventually(
      () => kernelRoute('192.0.2.200/32'),
      (text) => text.includes('via 192.0.2.11'),
    );
    speaker.say({ kind: 'routes', peer: 'tor', announce: [], withdraw: ['192.0.2.200/32'] });
    const gone = await eventually(
      () => kernelRoute('192.0.2.200/32'),
      (text) => text === '',
    );
    assert.ok(gone.afterMs < 1000);
  },
);

test('communities, large communities and MED reach the neighbour', options, async () => {
  await using speaker = startSpeaker('n11');
  speaker.say(
    { kind: 'peers', peers: [peer('192.0.2.11')] },
    {
      kind: 'routes',
      peer: 'tor',
      announce: [
        {
          prefix: '192.0.2.201/32',
          med: 7,
          communities: [64513 * 65536 + 42],
          largeCommunities: [{ globalAdministrator: 64513, localData1: 1, localData2: 2 }],
        },
      ],
      withdraw: [],
    },
  );
  await eventually(
    () => frr.vtysh('show bgp ipv4 unicast 192.0.2.201/32'),
    (text) =>
      text.includes('Community: 64513:42') && text.includes('Large Community: 64513:1:2') && text.includes('metric 7'),
  );
});

test('IPv6 routes travel over an IPv4 session and over an IPv6 session', options, async () => {
  await using speaker = startSpeaker('n11');
  speaker.say(
    {
      kind: 'peers',
      peers: [
        peer('192.0.2.11', { families: ['ipv4-unicast', 'ipv6-unicast'], nextHops: { 6: '2001:db8::11' } }),
        peer('192.0.2.11', { name: 'six', address: '2001:db8::1', families: ['ipv6-unicast'] }),
      ],
    },
    announce('2001:db8:f::1/128'),
    { kind: 'routes', peer: 'six', announce: [{ prefix: '2001:db8:f::2/128' }], withdraw: [] },
  );
  for (const prefix of ['2001:db8:f::1', '2001:db8:f::2']) {
    await eventually(
      () => network.on('router', 'ip', '-6', 'route', 'show', 'proto', 'bgp', prefix),
      (text) => text.includes('via 2001:db8::11'),
    );
  }
});

test('iBGP: LOCAL_PREF is sent and the AS path is empty', options, async () => {
  await using speaker = startSpeaker('n13');
  speaker.say(
    { kind: 'peers', peers: [peer('192.0.2.13', { localAsn: 64512, ttl: 64 })] },
    { kind: 'routes', peer: 'tor', announce: [{ prefix: '192.0.2.203/32', localPref: 250 }], withdraw: [] },
  );
  await eventually(
    () => frr.vtysh('show bgp ipv4 unicast 192.0.2.203/32'),
    (text) => /localpref 250/.test(text) && /\n {2}Local\n/.test(text),
  );
});

test('TCP MD5: the right key makes a session, a wrong one none', options, async () => {
  await using speaker = startSpeaker('n12');
  speaker.say({ kind: 'peers', peers: [peer('192.0.2.12', { password: 'wrong' })] }, announce('192.0.2.204/32'));
  await new Promise((resolve) => setTimeout(resolve, 1500));
  assert.equal(await kernelRoute('192.0.2.204/32'), '');
  speaker.say({ kind: 'peers', peers: [peer('192.0.2.12', { password: 'mellon' })] });
  await eventually(
    () => kernelRoute('192.0.2.204/32'),
    (text) => text.includes('via 192.0.2.12'),
  );
});

test('two speakers give ECMP; one that stops in order leaves the other at once', options, async () => {
  await using first = startSpeaker('n11');
  await using second = startSpeaker('n12');
  first.say({ kind: 'peers', peers: [peer('192.0.2.11')] }, announce('192.0.2.205/32'));
  second.say({ kind: 'peers', peers: [peer('192.0.2.12', { password: 'mellon' })] }, announce('192.0.2.205/32'));
  await eventually(
    () => kernelRoute('192.0.2.205/32'),
    (text) => text.includes('192.0.2.11') && text.includes('192.0.2.12'),
  );
  second.say({ kind: 'stop' });
  const left = await eventually(
    () => kernelRoute('192.0.2.205/32'),
    (text) => text.includes('192.0.2.11') && !text.includes('192.0.2.12'),
  );
  assert.ok(left.afterMs < 1000, `took ${left.afterMs} ms`);
});

test(
  'RFC 4724: SIGKILL of the speaker keeps the route, and its successor takes it over without a gap',
  options,
  async (t) => {
    const gracefulRestart = { restartTimeSeconds: 20, restarted: false, forwardingPreserved: true };
    await using first = startSpeaker('n11');
    first.say(
      { kind: 'peers', peers: [peer('192.0.2.11', { gracefulRestart })] },
      announce('192.0.2.206/32', '192.0.2.207/32'),
    );
    await eventually(
      () => kernelRoute('192.0.2.206/32'),
      (text) => text.includes('via 192.0.2.11'),
    );
    await using watch = watchRoutes('router');
    await first[Symbol.asyncDispose]();
    await new Promise((resolve) => setTimeout(resolve, 1000));
    assert.match(await kernelRoute('192.0.2.206/32'), /via 192.0.2.11/);

    await using second = startSpeaker('n11');
    second.say(
      { kind: 'peers', peers: [peer('192.0.2.11', { gracefulRestart: { ...gracefulRestart, restarted: true } })] },
      announce('192.0.2.206/32'),
    );
    // What the successor does not announce again is forgotten at End-of-RIB.
    await eventually(
      () => kernelRoute('192.0.2.207/32'),
      (text) => text === '',
    );
    assert.match(await kernelRoute('192.0.2.206/32'), /via 192.0.2.11/);
    assert.deepEqual(watch.deleted('192.0.2.206'), []);
    t.diagnostic('route stayed through the restart');
  },
);

test(
  'a machine that vanishes without a word loses its routes after the hold time, graceful restart or not',
  options,
  async (t) => {
    const gracefulRestart = { restartTimeSeconds: 120, restarted: false, forwardingPreserved: true };
    await using speaker = startSpeaker('n11');
    speaker.say({ kind: 'peers', peers: [peer('192.0.2.11', { gracefulRestart })] }, announce('192.0.2.208/32'));
    await eventually(
      () => kernelRoute('192.0.2.208/32'),
      (text) => text.includes('via 192.0.2.11'),
    );
    await network.on('switch', 'ip', 'link', 'set', 'p-n11', 'down');
    try {
      const gone = await eventually(
        () => kernelRoute('192.0.2.208/32'),
        (text) => text === '',
        { withinMs: 8000 },
      );
      t.diagnostic(`route withdrawn after ${Math.round(gone.afterMs)} ms (hold time ${HOLD_SECONDS} s)`);
    } finally {
      await network.on('switch', 'ip', 'link', 'set', 'p-n11', 'up');
    }
  },
);

/** Follows the kernel's route changes, to see gaps that polling would miss. */
function watchRoutes(host: string): { deleted(address: string): string[] } & AsyncDisposable {
  const child = spawn('ip', ['netns', 'exec', network.namespaceOf(host), 'ip', 'monitor', 'route'], {
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  let text = '';
  child.stdout.on('data', (chunk: Buffer) => {
    text += chunk.toString();
  });
  const ended = new Promise((resolve) => child.once('exit', resolve));
  return {
    deleted: (address) => text.split('\n').filter((line) => line.startsWith('Deleted') && line.includes(address)),
    async [Symbol.asyncDispose]() {
      child.kill('SIGKILL');
      await ended;
    },
  };
}
