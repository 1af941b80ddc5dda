import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type Cidr, formatCidr, type Ip, parseCidr, parseIp } from '@ballast/base';
import fc from 'fast-check';
import { formatNotification, NOTIFICATION_CODES } from './family.ts';
import {
  composeMessage,
  Framer,
  type IncomingMessage,
  type Open,
  type OutgoingMessage,
  parseMessage,
} from './message.ts';
import { PeerSession, type SessionEffect, type SessionEvent, type TimerName } from './session.ts';
import type { PeerConfig } from './session-config.ts';

const WIDE = { fourOctetAs: true, internal: false };

function ip(text: string): Ip {
  const parsed = parseIp(text);
  assert.ok(parsed);
  return parsed;
}

function cidr(text: string): Cidr {
  const parsed = parseCidr(text);
  assert.ok(parsed);
  return parsed;
}

const CONFIG: PeerConfig = {
  name: 'tor',
  address: ip('192.0.2.1'),
  port: 179,
  localAsn: 64513,
  peerAsn: 64512,
  routerId: ip('192.0.2.11'),
  holdTimeSeconds: 9,
  connectRetryMs: 5000,
  ttl: 1,
  families: ['ipv4-unicast'],
};

const PEER_OPEN: Open = {
  type: 'open',
  asn: 64512,
  holdTimeSeconds: 90,
  identifier: 0xc0000201,
  capabilities: [
    { kind: 'multiprotocol', afi: 1, safi: 1 },
    { kind: 'four-octet-as', asn: 64512 },
    { kind: 'route-refresh' },
  ],
};

/** Writes a session's effects as a person would tell them, and keeps its timers on simulated time. */
class Stage {
  readonly session: PeerSession;
  readonly timers = new Map<TimerName, number>();
  nowMs = 0;
  readonly #framers = new Map<number, Framer>();

  constructor(overrides: Partial<PeerConfig> = {}) {
    this.session = new PeerSession({ ...CONFIG, ...overrides }, { random: () => 1 });
  }

  do(event: SessionEvent): string[] {
    return this.session.handle(event).flatMap((effect) => this.#tell(effect));
  }

  receive(connection: number, ...messages: OutgoingMessage[]): string[] {
    return this.do({
      kind: 'data',
      connection,
      bytes: Buffer.concat(messages.map((message) => composeMessage(message, WIDE))),
    });
  }

  /** Lets time pass; fires what falls due. */
  pass(ms: number): string[] {
    const endMs = this.nowMs + ms;
    const told: string[] = [];
    for (;;) {
      const [next] = [...this.timers].filter(([, due]) => due <= endMs).sort(([, a], [, b]) => a - b);
      if (!next) break;
      this.timers.delete(next[0]);
      this.nowMs = next[1];
      told.push(...this.do({ kind: 'timer', timer: next[0] }));
    }
    this.nowMs = endMs;
    return told;
  }

  /** Connects and says hello; the session is Established afterwards. */
  establish(open: Open = PEER_OPEN): string[] {
    this.do({ kind: 'start' });
    this.do({ kind: 'connected', connection: 1, localAddress: ip('192.0.2.11') });
    return this.receive(1, open, { type: 'keepalive' });
  }

  #tell(effect: SessionEffect): string[] {
    switch (effect.kind) {
      case 'set-timer':
        this.timers.set(effect.timer, this.nowMs + effect.delayMs);
        return [];
      case 'clear-timer':
        this.timers.delete(effect.timer);
        return [];
      case 'send': {
        let framer = this.#framers.get(effect.connection);
        if (!framer) {
          framer = new Framer();
          this.#framers.set(effect.connection, framer);
        }
        return framer
          .push(effect.bytes)
          .map(
            (bytes) =>
              `${effect.connection}> ${describeMessage(parseMessage(bytes, { fourOctetAs: true, internal: true }))}`,
          );
      }
      case 'state':
        return [`${effect.from} -> ${effect.to}`];
      case 'warning':
        return [`warning: ${effect.message}`];
      default:
        return [`${effect.kind} ${effect.connection}`];
    }
  }
}

function describeMessage(message: IncomingMessage): string {
  switch (message.type) {
    case 'notification':
      return `NOTIFICATION ${formatNotification(message.code, message.subcode)}`;
    case 'update':
      if (message.endOfRib) return `End-of-RIB ${message.endOfRib}`;
      return `UPDATE ${[...message.announced.map((prefix) => `+${formatCidr(prefix)}`), ...message.withdrawn.map((prefix) => `-${formatCidr(prefix)}`)].join(' ')}`;
    case 'open':
      return `OPEN AS${message.asn} hold ${message.holdTimeSeconds}`;
    default:
      return message.type.toUpperCase();
  }
}

describe('RFC 4271 section 8: the session machine', () => {
  test('from Idle to Established, and the routes go out', () => {
    const stage = new Stage();
    stage.session.announce({ prefix: cidr('192.0.2.200/32') });
    assert.deepEqual(stage.do({ kind: 'start' }), ['connect 1', 'Idle -> Connect']);
    assert.deepEqual(stage.do({ kind: 'connected', connection: 1, localAddress: ip('192.0.2.11') }), [
      '1> OPEN AS64513 hold 9',
      'Connect -> OpenSent',
    ]);
    assert.deepEqual(stage.receive(1, PEER_OPEN), ['1> KEEPALIVE', 'OpenSent -> OpenConfirm']);
    assert.deepEqual(stage.receive(1, { type: 'keepalive' }), [
      '1> UPDATE +192.0.2.200/32',
      'OpenConfirm -> Established',
    ]);
    const report = stage.session.report();
    assert.deepEqual(
      [report.state, report.peerAsn, report.holdTimeSeconds, report.announcedPrefixes],
      ['Established', 64512, 9, 1],
    );
  });

  test('keepalives go out at a third of the smaller hold time; silence for the hold time ends the session', () => {
    const stage = new Stage();
    stage.establish();
    assert.deepEqual(stage.pass(8999), ['1> KEEPALIVE', '1> KEEPALIVE']);
    const end = stage.pass(1);
    assert.deepEqual(
      end.filter((line) => line !== '1> KEEPALIVE'),
      ['1> NOTIFICATION Hold Timer Expired', 'close 1', 'Established -> Idle'],
    );
    assert.equal(stage.session.report().lastError, 'Hold Timer Expired');
  });

  test('anything heard restarts the hold timer', () => {
    const stage = new Stage();
    stage.establish();
    for (let i = 0; i < 10; i++) {
      stage.pass(8000);
      stage.receive(1, { type: 'keepalive' });
    }
    assert.equal(stage.session.state, 'Established');
  });

  test('a hold time of zero means no keepalives and no end', () => {
    const stage = new Stage();
    stage.establish({ ...PEER_OPEN, holdTimeSeconds: 0 });
    assert.deepEqual(stage.pass(3_600_000), []);
    assert.equal(stage.session.state, 'Established');
  });

  test('a refused connection is tried again at the retry time', () => {
    const stage = new Stage();
    stage.do({ kind: 'start' });
    assert.deepEqual(stage.do({ kind: 'closed', connection: 1, why: 'ECONNREFUSED' }), ['Connect -> Active']);
    assert.deepEqual(stage.pass(4999), []);
    assert.deepEqual(stage.pass(1), ['connect 2', 'Active -> Connect']);
  });

  test('a session that breaks comes back after half a second, one that breaks again and again after longer', () => {
    const stage = new Stage();
    stage.establish();
    assert.deepEqual(stage.do({ kind: 'closed', connection: 1, why: 'reset' }), ['Established -> Idle']);
    assert.deepEqual(stage.pass(500), ['connect 2', 'Idle -> Connect']);
    stage.do({ kind: 'connected', connection: 2, localAddress: ip('192.0.2.11') });
    stage.receive(2, { type: 'notification', code: 6, subcode: 5, data: new Uint8Array() });
    assert.deepEqual(stage.pass(999), []);
    assert.deepEqual(stage.pass(1), ['connect 3', 'Idle -> Connect']);
  });

  const refused: readonly [string, Partial<Open>, string][] = [
    [
      'the wrong AS',
      { asn: 65000, capabilities: [{ kind: 'multiprotocol', afi: 1, safi: 1 }] },
      'OPEN Message Error/Bad Peer AS',
    ],
    [
      'no family in common',
      {
        capabilities: [
          { kind: 'multiprotocol', afi: 2, safi: 1 },
          { kind: 'four-octet-as', asn: 64512 },
        ],
      },
      'OPEN Message Error/Unsupported Capability',
    ],
    ['a hold time of 2 s', { holdTimeSeconds: 2 }, 'OPEN Message Error/Unacceptable Hold Time'],
    ['a BGP identifier of zero', { identifier: 0 }, 'OPEN Message Error/Bad BGP Identifier'],
  ];
  for (const [name, change, notification] of refused) {
    test(`section 6.2: an OPEN with ${name} is refused`, () => {
      const stage = new Stage();
      stage.do({ kind: 'start' });
      stage.do({ kind: 'connected', connection: 1, localAddress: ip('192.0.2.11') });
      assert.deepEqual(stage.receive(1, { ...PEER_OPEN, ...change }), [
        `1> NOTIFICATION ${notification}`,
        'close 1',
        'OpenSent -> Idle',
      ]);
    });
  }

  const misplaced: readonly [string, (stage: Stage) => string[], string][] = [
    ['KEEPALIVE in OpenSent', (stage) => stage.receive(1, { type: 'keepalive' }), 'Unexpected Message in OpenSent'],
    [
      'OPEN in OpenConfirm',
      (stage) => [...stage.receive(1, PEER_OPEN), ...stage.receive(1, PEER_OPEN)],
      'Unexpected Message in OpenConfirm',
    ],
    [
      'OPEN in Established',
      (stage) => [...stage.receive(1, PEER_OPEN, { type: 'keepalive' }), ...stage.receive(1, PEER_OPEN)],
      'Unexpected Message in Established',
    ],
  ];
  for (const [name, act, notification] of misplaced) {
    test(`section 6.6: ${name} is a Finite State Machine Error`, () => {
      const stage = new Stage();
      stage.do({ kind: 'start' });
      stage.do({ kind: 'connected', connection: 1, localAddress: ip('192.0.2.11') });
      assert.ok(act(stage).includes(`1> NOTIFICATION Finite State Machine Error/${notification}`));
      assert.equal(stage.session.state, 'Idle');
    });
  }

  test('stopping says Cease, and nothing happens afterwards', () => {
    const stage = new Stage();
    stage.establish();
    assert.deepEqual(stage.do({ kind: 'stop', subcode: 2 }), [
      '1> NOTIFICATION Cease/Administrative Shutdown',
      'close 1',
      'Established -> Idle',
    ]);
    assert.deepEqual(stage.pass(600_000), []);
  });

  test('a faulty UPDATE is warned of and the session stays (RFC 7606)', () => {
    const stage = new Stage();
    stage.establish();
    const lines = stage.receive(1, { type: 'update', withdrawn: [], attributes: {}, announced: [cidr('10.0.0.0/8')] });
    assert.deepEqual(lines, ['warning: ORIGIN, AS_PATH, NEXT_HOP missing']);
    assert.equal(stage.session.state, 'Established');
  });

  test('RFC 2918: a route refresh repeats the routes', () => {
    const stage = new Stage();
    stage.session.announce({ prefix: cidr('192.0.2.200/32') });
    stage.establish();
    assert.deepEqual(stage.receive(1, { type: 'route-refresh', afi: 1, safi: 1, subtype: 0 }), [
      '1> UPDATE +192.0.2.200/32',
    ]);
  });
});

describe('RFC 4271 section 6.8: connection collision', () => {
  /** Both connections in OpenSent; the OPEN arrives on `first`, then on `second`. */
  function collide(identifier: number, first: number, second: number): { lines: string[]; stage: Stage } {
    const stage = new Stage();
    const open = { ...PEER_OPEN, identifier };
    stage.do({ kind: 'start' });
    stage.do({ kind: 'connected', connection: 1, localAddress: ip('192.0.2.11') });
    assert.equal(stage.session.nextConnection(), 2);
    stage.do({ kind: 'accepted', connection: 2, localAddress: ip('192.0.2.11') });
    const lines = [...stage.receive(first, open), ...stage.receive(second, open)];
    return { lines, stage };
  }
  const CEASE = 'NOTIFICATION Cease/Connection Collision Resolution';

  for (const [first, second] of [
    [1, 2],
    [2, 1],
  ] as const) {
    test(`the side with the higher identifier keeps its own connection (OPEN first on ${first})`, () => {
      const ours = collide(0xc0000201, first, second);
      assert.ok(ours.lines.includes(`2> ${CEASE}`) && !ours.lines.includes(`1> ${CEASE}`), ours.lines.join('\n'));
      const theirs = collide(0xc00002ff, first, second);
      assert.ok(theirs.lines.includes(`1> ${CEASE}`) && !theirs.lines.includes(`2> ${CEASE}`), theirs.lines.join('\n'));
      assert.equal(theirs.stage.session.state, 'OpenConfirm');
    });
  }

  test('an established session wins over a new connection', () => {
    const stage = new Stage();
    stage.establish();
    const id = stage.session.nextConnection();
    stage.do({ kind: 'accepted', connection: id, localAddress: ip('192.0.2.11') });
    assert.ok(stage.receive(id, PEER_OPEN).includes(`${id}> ${CEASE}`));
    assert.equal(stage.session.state, 'Established');
  });

  test('RFC 4724 section 5: of a peer that restarts gracefully, the new connection wins', () => {
    const restart = {
      kind: 'graceful-restart',
      restarting: true,
      notificationSupported: false,
      restartTimeSeconds: 60,
      families: [],
    } as const;
    const open = { ...PEER_OPEN, capabilities: [...PEER_OPEN.capabilities, restart] };
    const stage = new Stage();
    stage.establish(open);
    const id = stage.session.nextConnection();
    stage.do({ kind: 'accepted', connection: id, localAddress: ip('192.0.2.11') });
    assert.deepEqual(stage.receive(id, open), ['close 1', `${id}> KEEPALIVE`, 'Established -> OpenConfirm']);
  });
});

describe('RFC 4724: graceful restart, restarting speaker', () => {
  const gracefulRestart = { restartTimeSeconds: 120, restarted: true, forwardingPreserved: true };
  const restartOf = (stage: Stage, connection: number) => {
    const effect = stage.session
      .handle({ kind: 'connected', connection, localAddress: ip('192.0.2.11') })
      .find((candidate) => candidate.kind === 'send');
    assert.ok(effect?.kind === 'send');
    const open = parseMessage(effect.bytes, WIDE);
    assert.ok(open.type === 'open');
    return open.capabilities.find((capability) => capability.kind === 'graceful-restart');
  };

  test('the first OPEN carries the R bit, and the F bit if forwarding went on; later ones no R bit', () => {
    for (const forwardingPreserved of [true, false]) {
      const stage = new Stage({ gracefulRestart: { ...gracefulRestart, forwardingPreserved } });
      stage.do({ kind: 'start' });
      const first = restartOf(stage, 1);
      assert.deepEqual([first?.restarting, first?.families[0]?.forwardingPreserved], [true, forwardingPreserved]);
      stage.receive(1, PEER_OPEN, { type: 'keepalive' });
      stage.do({ kind: 'closed', connection: 1, why: 'reset' });
      stage.pass(500);
      const second = restartOf(stage, 2);
      assert.deepEqual([second?.restarting, second?.families[0]?.forwardingPreserved], [false, true]);
    }
  });

  test('End-of-RIB follows the routes, to peers that know graceful restart', () => {
    const restart = {
      kind: 'graceful-restart',
      restarting: false,
      notificationSupported: false,
      restartTimeSeconds: 60,
      families: [],
    } as const;
    const stage = new Stage({ gracefulRestart });
    stage.session.announce({ prefix: cidr('192.0.2.200/32') });
    const lines = stage.establish({ ...PEER_OPEN, capabilities: [...PEER_OPEN.capabilities, restart] });
    assert.deepEqual(lines.slice(-3), [
      '1> UPDATE +192.0.2.200/32',
      '1> End-of-RIB ipv4-unicast',
      'OpenSent -> Established',
    ]);
  });
});

test('whatever arrives in whatever order, no exception leaves the machine and every NOTIFICATION is a known one', () => {
  const event: fc.Arbitrary<SessionEvent> = fc.oneof(
    fc.constant({ kind: 'start' } as const),
    fc.constant({ kind: 'flush' } as const),
    fc.constant({ kind: 'stop', subcode: 2 } as const),
    fc.record({
      kind: fc.constantFrom('connected' as const, 'accepted' as const),
      connection: fc.integer({ min: 1, max: 4 }),
      localAddress: fc.constant(ip('192.0.2.11')),
    }),
    fc.record({
      kind: fc.constant('closed' as const),
      connection: fc.integer({ min: 1, max: 4 }),
      why: fc.constant('gone'),
    }),
    fc.record({
      kind: fc.constant('timer' as const),
      timer: fc.constantFrom<TimerName>('connect-retry', 'idle-hold', 'hold 1', 'keepalive 1', 'hold 2'),
    }),
    fc.record({
      kind: fc.constant('data' as const),
      connection: fc.integer({ min: 1, max: 4 }),
      bytes: fc.oneof(
        fc.constant(composeMessage(PEER_OPEN, WIDE)),
        fc.constant(composeMessage({ type: 'keepalive' }, WIDE)),
        fc.constant(composeMessage({ type: 'notification', code: 6, subcode: 2, data: new Uint8Array() }, WIDE)),
        fc.uint8Array({ maxLength: 40 }),
      ),
    }),
  );
  const codes = new Set<number>(Object.values(NOTIFICATION_CODES));
  fc.assert(
    fc.property(fc.array(event, { maxLength: 40 }), (events) => {
      const session = new PeerSession(CONFIG, { random: () => 0.5 });
      session.announce({ prefix: cidr('192.0.2.200/32') });
      for (const one of events) {
        for (const effect of session.handle(one)) {
          if (effect.kind !== 'send') continue;
          const message = parseMessage(effect.bytes, WIDE);
          if (message.type === 'notification') assert.ok(codes.has(message.code));
        }
      }
    }),
    { numRuns: 500 },
  );
});
