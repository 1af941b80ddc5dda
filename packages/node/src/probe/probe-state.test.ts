import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { SimulatedClock, silentLogger } from '@ballast/base';
import type { Probe } from '@ballast/kube';
import { ContainerProbes } from './container-probes.ts';
import { ProbeState } from './probe-state.ts';

describe('ProbeState', () => {
  test('failureThreshold failures in a row make it unhealthy, successThreshold successes healthy again', () => {
    const state = new ProbeState({ failureThreshold: 3, successThreshold: 2 }, true);
    const verdicts = [false, false, true, false, false, false, true, true].map((ok) => {
      state.note(ok);
      return state.healthy;
    });
    assert.deepEqual(verdicts, [true, true, true, true, true, false, false, true]);
  });
});

describe('probes of a container', () => {
  function probing(
    probes: Record<string, Probe>,
    answers: (atMs: number) => boolean,
    before = { started: false, ready: false },
  ) {
    const clock = new SimulatedClock();
    const startMs = clock.nowMs();
    const unhealthy: string[] = [];
    const running = new ContainerProbes({
      probes,
      startedAtMs: startMs,
      before,
      check: async () => ({ success: answers(clock.nowMs() - startMs), output: 'said' }),
      changed: () => {},
      unhealthy: (kind) => unhealthy.push(`${kind} ${clock.nowMs() - startMs}`),
      clock,
      logger: silentLogger,
    });
    return { clock, running, unhealthy };
  }
  const http: Probe = { httpGet: { port: 80 }, periodSeconds: 10 };

  test('without probes a container is started and ready at once', () => {
    const { running } = probing({}, () => false);
    assert.deepEqual([running.started, running.ready], [true, true]);
    running.stop();
  });

  test('a program that listens after 250 ms is ready long before a period has passed', async () => {
    const { clock, running, unhealthy } = probing({ readiness: http }, (atMs) => atMs >= 250);
    await clock.advance(200);
    assert.equal(running.ready, false);
    await clock.advance(200);
    assert.equal(running.ready, true);
    assert.deepEqual(unhealthy, ['readiness 0']);
    running.stop();
  });

  test('early tries do not count as failures: unready is told once a period', async () => {
    const { clock, running, unhealthy } = probing({ readiness: http }, () => false);
    await clock.advance(25_000);
    assert.equal(running.ready, false);
    assert.deepEqual(
      unhealthy.map((entry) => Number(entry.split(' ')[1]) >= 10_000 || entry.endsWith(' 0')),
      unhealthy.map(() => true),
    );
    running.stop();
  });

  test('liveness waits for the startup probe, and fails only after it', async () => {
    const liveness: Probe = { exec: { command: ['x'] }, periodSeconds: 1, failureThreshold: 2 };
    const startup: Probe = { exec: { command: ['x'] }, periodSeconds: 1, failureThreshold: 30 };
    const { clock, running } = probing({ startup, liveness }, (atMs) => atMs >= 5000 && atMs < 8000);
    await clock.advance(4900);
    assert.deepEqual([running.started, running.failed], [false, undefined]);
    await clock.advance(1200);
    assert.deepEqual([running.started, running.failed], [true, undefined]);
    await clock.advance(4000);
    assert.equal(running.failed, 'liveness');
    running.stop();
  });

  test('a check that could not be made counts neither way', async () => {
    const liveness: Probe = { exec: { command: ['x'] }, periodSeconds: 1, failureThreshold: 1 };
    const clock = new SimulatedClock();
    const probes = new ContainerProbes({
      probes: { liveness },
      startedAtMs: clock.nowMs(),
      before: { started: false, ready: false },
      check: async () => undefined,
      changed: () => {},
      unhealthy: () => assert.fail('nothing is known to be unhealthy'),
      clock,
      logger: silentLogger,
    });
    await clock.advance(10_000);
    assert.equal(probes.failed, undefined);
    probes.stop();
  });

  test('a startup probe that never holds asks for the end of the container', async () => {
    const startup: Probe = { exec: { command: ['x'] }, periodSeconds: 1, failureThreshold: 3 };
    const { clock, running } = probing({ startup }, () => false);
    await clock.advance(5000);
    assert.equal(running.failed, 'startup');
    running.stop();
  });

  test('what was ready before the agent started again stays ready until checks say otherwise', async () => {
    const { clock, running } = probing({ readiness: { ...http, periodSeconds: 1 } }, () => false, {
      started: true,
      ready: true,
    });
    await clock.advance(1500);
    assert.equal(running.ready, true);
    await clock.advance(2000);
    assert.equal(running.ready, false);
    running.stop();
  });
});

test('a start that seems to lie in the future (the clock was set back) delays the first check no longer than asked for', async () => {
  const clock = new SimulatedClock();
  let checks = 0;
  const probes = new ContainerProbes({
    probes: { liveness: { httpGet: { port: 80 }, initialDelaySeconds: 5, periodSeconds: 10 } },
    startedAtMs: clock.nowMs() + 3_600_000,
    before: { started: false, ready: false },
    check: async () => {
      checks += 1;
      return { success: true, output: '' };
    },
    changed: () => {},
    unhealthy: () => {},
    clock,
    logger: silentLogger,
  });
  await clock.advance(4999);
  assert.equal(checks, 0);
  await clock.advance(2);
  assert.equal(checks, 1);
  probes.stop();
});
