import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { composeHeartbeat, type Heartbeat, parseHeartbeat } from './heartbeat.ts';
import { DEFAULT_TIMINGS, type MemberState, Membership } from './membership.ts';

const KEY = Buffer.alloc(32, 1);

describe('heartbeats on the wire', () => {
  const heartbeat: fc.Arbitrary<Heartbeat> = fc
    .tuple(fc.constantFrom('alive' as const, 'leave' as const), fc.string({ maxLength: 60 }), fc.nat(), fc.nat())
    .map(([kind, node, incarnation, sequence]) => ({ kind, node, incarnation, sequence }));

  test('what was composed is parsed to the same', () => {
    fc.assert(
      fc.property(heartbeat, (sent) => assert.deepEqual(parseHeartbeat(composeHeartbeat(sent, KEY), KEY), sent)),
    );
  });

  test('another key, a changed byte and noise are nothing', () => {
    fc.assert(
      fc.property(
        heartbeat,
        fc.nat(),
        fc.integer({ min: 1, max: 255 }),
        fc.uint8Array({ maxLength: 100 }),
        (sent, at, change, noise) => {
          const bytes = composeHeartbeat(sent, KEY);
          assert.equal(parseHeartbeat(bytes, Buffer.alloc(32, 2)), undefined);
          assert.equal(parseHeartbeat(noise, KEY), undefined);
          const index = at % bytes.length;
          bytes[index] = (bytes[index] ?? 0) ^ change;
          assert.equal(parseHeartbeat(bytes, KEY), undefined);
        },
      ),
    );
  });
});

/** Membership of node-2 as seen from elsewhere. */
class Watch {
  readonly membership = new Membership(DEFAULT_TIMINGS);
  nowMs = 0;
  #sequence = 0;
  incarnation = 1;

  constructor() {
    this.membership.configure(['node-2'], 0);
  }

  hear(kind: Heartbeat['kind'] = 'alive'): void {
    this.membership.receive(
      { kind, node: 'node-2', incarnation: this.incarnation, sequence: this.#sequence++ },
      this.nowMs,
    );
  }

  /** Lets time pass in steps of 50 ms; `each` happens at every step. */
  pass(ms: number, each: () => void = () => {}): MemberState | undefined {
    for (let left = ms; left > 0; left -= 50) {
      this.nowMs += 50;
      each();
      this.membership.tick(this.nowMs);
    }
    return this.membership.stateOf('node-2');
  }
}

describe('membership', () => {
  test('a node that was never heard counts for a second, and then no more', () => {
    const watch = new Watch();
    assert.ok(watch.membership.isPresent('node-2'));
    assert.equal(watch.pass(950), 'unknown');
    assert.equal(watch.pass(50), 'dead');
    assert.ok(!watch.membership.isPresent('node-2'));
  });

  test('a node is dead one second after its last heartbeat', () => {
    const watch = new Watch();
    watch.pass(5000, () => watch.hear());
    assert.equal(watch.pass(950), 'alive');
    assert.equal(watch.pass(50), 'dead');
  });

  test('a node that says goodbye is gone at once', () => {
    const watch = new Watch();
    watch.hear();
    watch.hear('leave');
    assert.equal(watch.membership.stateOf('node-2'), 'left');
  });

  test('a node whose kernel answers keeps its addresses for ten seconds', () => {
    const watch = new Watch();
    watch.hear();
    assert.equal(
      watch.pass(9900, () => watch.membership.kernelAnswered('node-2', watch.nowMs)),
      'restarting',
    );
    assert.ok(watch.membership.isPresent('node-2'));
    assert.equal(
      watch.pass(200, () => watch.membership.kernelAnswered('node-2', watch.nowMs)),
      'dead',
    );
  });

  test('when the kernel falls silent too, the node is dead', () => {
    const watch = new Watch();
    watch.hear();
    watch.pass(3000, () => watch.membership.kernelAnswered('node-2', watch.nowMs));
    assert.equal(watch.pass(1050), 'dead');
  });

  test('a kernel alone never makes a member', () => {
    const watch = new Watch();
    assert.equal(
      watch.pass(3000, () => watch.membership.kernelAnswered('node-2', watch.nowMs)),
      'dead',
    );
  });

  test('kernels are asked when a speaker has missed a heartbeat, and as long as it is silent', () => {
    const watch = new Watch();
    watch.hear();
    watch.pass(350);
    assert.deepEqual(watch.membership.suspects(watch.nowMs), []);
    watch.pass(50);
    assert.deepEqual(watch.membership.suspects(watch.nowMs), ['node-2']);
    watch.pass(5000);
    assert.deepEqual(watch.membership.suspects(watch.nowMs), [], 'the dead are not asked');
  });

  test('a successor is known by its later incarnation; old and repeated datagrams are ignored', () => {
    const watch = new Watch();
    watch.incarnation = 5;
    watch.hear();
    watch.pass(2000);
    watch.membership.receive({ kind: 'alive', node: 'node-2', incarnation: 4, sequence: 900 }, watch.nowMs);
    assert.equal(watch.membership.stateOf('node-2'), 'dead');
    watch.membership.receive({ kind: 'alive', node: 'node-2', incarnation: 5, sequence: 0 }, watch.nowMs);
    assert.equal(watch.membership.stateOf('node-2'), 'dead');
    watch.membership.receive({ kind: 'alive', node: 'node-2', incarnation: 6, sequence: 0 }, watch.nowMs);
    assert.equal(watch.membership.stateOf('node-2'), 'alive');
  });

  test('a speaker that was started again after its clock was set back is known after a while', () => {
    const watch = new Watch();
    watch.incarnation = 1000;
    watch.pass(1000, () => watch.hear());
    watch.pass(2000);
    watch.incarnation = 10;
    assert.equal(
      watch.pass(2500, () => watch.hear()),
      'dead',
    );
    assert.equal(
      watch.pass(1000, () => watch.hear()),
      'alive',
    );
    watch.membership.receive({ kind: 'leave', node: 'node-2', incarnation: 9, sequence: 9999 }, watch.nowMs);
    assert.equal(watch.membership.stateOf('node-2'), 'alive');
  });

  test('an earlier incarnation is not believed beside a live one, nor when its datagrams repeat', () => {
    const watch = new Watch();
    watch.incarnation = 1000;
    const replay = (sequence: number) =>
      watch.membership.receive({ kind: 'alive', node: 'node-2', incarnation: 10, sequence }, watch.nowMs);
    let sequence = 0;
    watch.pass(6000, () => {
      watch.hear();
      replay(sequence++);
    });
    watch.pass(1000);
    assert.equal(
      watch.pass(6000, () => replay(sequence)),
      'dead',
    );
  });

  test('with a settling time, a node that comes back counts only after it', () => {
    const membership = new Membership({ ...DEFAULT_TIMINGS, settleMs: 1000 });
    membership.configure(['node-2'], 0);
    membership.tick(1000);
    assert.equal(membership.stateOf('node-2'), 'dead');
    for (let nowMs = 2000, sequence = 0; nowMs < 3000; nowMs += 250) {
      membership.receive({ kind: 'alive', node: 'node-2', incarnation: 1, sequence: sequence++ }, nowMs);
      assert.equal(membership.stateOf('node-2'), 'dead');
    }
    membership.receive({ kind: 'alive', node: 'node-2', incarnation: 1, sequence: 9 }, 3000);
    assert.equal(membership.stateOf('node-2'), 'alive');
  });

  test('heartbeats are due every 250 ms, and nodes that are no longer configured are gone', () => {
    const membership = new Membership(DEFAULT_TIMINGS);
    membership.configure(['node-2'], 0);
    const sent = Array.from({ length: 20 }, (_, i) => membership.tick(i * 50).send);
    assert.equal(sent.filter(Boolean).length, 4);
    membership.configure([], 1000);
    assert.ok(!membership.isPresent('node-2'));
  });
});

test('the silence of a node that was never heard is told apart: heartbeats may be filtered on the way', () => {
  const membership = new Membership(DEFAULT_TIMINGS);
  membership.configure(['node-2', 'node-3'], 0);
  membership.receive({ kind: 'alive', node: 'node-2', incarnation: 1, sequence: 1 }, 0);
  for (let nowMs = 0; nowMs <= 20_000; nowMs += DEFAULT_TIMINGS.intervalMs) membership.tick(nowMs);
  assert.deepEqual(membership.states(), [
    { node: 'node-2', state: 'dead', heard: true },
    { node: 'node-3', state: 'dead', heard: false },
  ]);
});
