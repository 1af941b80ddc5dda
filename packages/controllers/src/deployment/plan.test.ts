import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import type { Deployment, Pod, ReplicaSet } from '@ballast/kube';
import fc from 'fast-check';
import { type DeploymentPlan, planDeployment } from './plan.ts';
import { boundsOf } from './scaling.ts';

const NOW = Date.UTC(2026, 0, 1);

interface Shape {
  readonly replicas: number;
  readonly image: string;
  readonly maxSurge?: number | string;
  readonly maxUnavailable?: number | string;
  readonly paused?: boolean;
  readonly recreate?: boolean;
  readonly historyLimit?: number;
}

function deploymentOf(shape: Shape): Deployment {
  const { maxSurge = '25%', maxUnavailable = '25%' } = shape;
  return {
    metadata: { name: 'web', namespace: 'default', uid: 'd', generation: 1 },
    spec: {
      replicas: shape.replicas,
      paused: shape.paused ?? false,
      selector: { matchLabels: { app: 'web' } },
      template: {
        metadata: { name: '', labels: { app: 'web' } },
        spec: { containers: [{ name: 'web', image: shape.image }] },
      },
      strategy: shape.recreate
        ? { type: 'Recreate' }
        : { type: 'RollingUpdate', rollingUpdate: { maxSurge, maxUnavailable } },
      progressDeadlineSeconds: 600,
      revisionHistoryLimit: shape.historyLimit ?? 10,
    },
  } as Deployment;
}

/** A Deployment with its ReplicaSets, whose pods come and go as told. */
class Rollout {
  deployment: Deployment;
  replicaSets: ReplicaSet[] = [];
  pods: Pod[] = [];
  nowMs = NOW;
  #created = 0;

  constructor(shape: Shape) {
    this.deployment = deploymentOf(shape);
  }

  change(shape: Shape): void {
    const generation = (this.deployment.metadata.generation ?? 0) + 1;
    const { spec } = deploymentOf(shape);
    this.deployment = {
      ...this.deployment,
      metadata: { ...this.deployment.metadata, generation },
      ...(spec ? { spec } : {}),
    };
  }

  step(): DeploymentPlan {
    const plan = planDeployment({ ...this, pods: () => this.pods });
    for (const action of plan.actions) {
      const { name } = action.replicaSet.metadata;
      this.replicaSets = this.replicaSets.filter((known) => known.metadata.name !== name);
      if (action.kind === 'delete') continue;
      const stamp = new Date(NOW + this.#created * 1000).toISOString();
      const created = action.kind === 'create' ? { uid: name, creationTimestamp: stamp, generation: 1 } : {};
      if (action.kind === 'create') this.#created++;
      const { metadata } = action.replicaSet;
      this.replicaSets.push({ ...action.replicaSet, metadata: { ...metadata, ...created } });
    }
    const revision: Record<string, string> =
      plan.revision === undefined ? {} : { 'deployment.kubernetes.io/revision': plan.revision };
    const { metadata } = this.deployment;
    const annotations = { ...metadata.annotations, ...revision };
    this.deployment = { ...this.deployment, metadata: { ...metadata, annotations }, status: plan.status };
    return plan;
  }

  /** What the ReplicaSet controller and the nodes do: `settle` says how many of the missing or surplus pods come or go now. */
  move(settle: (count: number) => number): void {
    this.replicaSets = this.replicaSets.map((replicaSet) => {
      const wanted = replicaSet.spec?.replicas ?? 0;
      const available = replicaSet.status?.availableReplicas ?? 0;
      // Surplus pods stop counting at once; missing ones take their time.
      const next = wanted < available ? wanted : available + settle(wanted - available);
      const status = { replicas: wanted, readyReplicas: next, availableReplicas: next, observedGeneration: 1 };
      return { ...replicaSet, status };
    });
  }

  get available(): number {
    return this.replicaSets.reduce((sum, { status }) => sum + (status?.availableReplicas ?? 0), 0);
  }

  get asked(): number {
    return this.replicaSets.reduce((sum, { spec }) => sum + (spec?.replicas ?? 0), 0);
  }

  run(rounds = 200): void {
    for (let round = 0; round < rounds; round++) {
      this.step();
      this.move((count) => count);
    }
  }

  condition(type: string) {
    return this.deployment.status?.conditions?.find((condition) => condition.type === type);
  }
}

suite('planDeployment', () => {
  test('a rollout ends, and never leaves its bounds, however slowly pods become available', () => {
    const amounts = fc.oneof(fc.integer({ min: 0, max: 4 }), fc.constantFrom('0%', '10%', '25%', '50%', '100%'));
    const shape = fc.record({ replicas: fc.integer({ min: 0, max: 12 }), maxSurge: amounts, maxUnavailable: amounts });
    fc.assert(
      fc.property(shape, fc.array(fc.integer({ min: 0, max: 3 }), { minLength: 60, maxLength: 60 }), (bounds, pace) => {
        const rollout = new Rollout({ ...bounds, image: 'a' });
        rollout.run();
        assert.equal(rollout.available, bounds.replicas);
        rollout.change({ ...bounds, image: 'b' });
        const { maxSurge, maxUnavailable } = boundsOf(rollout.deployment);
        for (const amount of pace) {
          rollout.step();
          assert.ok(rollout.asked <= bounds.replicas + maxSurge, `${rollout.asked} pods asked for`);
          rollout.move((missing) => Math.min(missing, amount));
          assert.ok(rollout.available >= bounds.replicas - maxUnavailable, `${rollout.available} available`);
        }
        rollout.run();
        const [current] = rollout.replicaSets.filter(({ spec }) => (spec?.replicas ?? 0) > 0);
        assert.equal(rollout.available, bounds.replicas);
        if (bounds.replicas > 0) assert.equal(current?.spec?.template?.spec?.containers[0]?.image, 'b');
        assert.equal(rollout.condition('Progressing')?.reason, 'NewReplicaSetAvailable');
      }),
      { numRuns: 60 },
    );
  });

  test('scaling in the middle of a rollout is shared in proportion', () => {
    const rollout = new Rollout({ replicas: 10, image: 'a', maxSurge: 3, maxUnavailable: 2 });
    rollout.run();
    rollout.change({ replicas: 10, image: 'b', maxSurge: 3, maxUnavailable: 2 });
    for (let round = 0; round < 3; round++) {
      rollout.step();
      rollout.move(() => 0);
    }
    const sizes = () => rollout.replicaSets.map(({ spec }) => spec?.replicas).sort();
    assert.deepEqual(sizes(), [5, 8]);
    rollout.change({ replicas: 15, image: 'b', maxSurge: 3, maxUnavailable: 2 });
    rollout.step();
    // 13 pods become 18 (15 and the surge), shared 8:5.
    assert.deepEqual(sizes(), [11, 7].sort());
  });

  test('a failing new revision stops at the bounds, and the deadline tells', () => {
    const rollout = new Rollout({ replicas: 4, image: 'a', maxSurge: 1, maxUnavailable: 0 });
    rollout.run();
    rollout.change({ replicas: 4, image: 'broken', maxSurge: 1, maxUnavailable: 0 });
    for (let round = 0; round < 5; round++) {
      rollout.step();
      rollout.move(() => 0);
    }
    assert.equal(rollout.available, 4);
    assert.equal(rollout.condition('Available')?.status, 'True');
    const { lookAgainMs } = rollout.step();
    assert.ok(lookAgainMs !== undefined && lookAgainMs > 590_000 && lookAgainMs <= 601_000);
    rollout.nowMs += 601_000;
    rollout.step();
    assert.equal(rollout.condition('Progressing')?.reason, 'ProgressDeadlineExceeded');
    assert.equal(rollout.condition('Progressing')?.status, 'False');
  });

  test('a paused Deployment scales, but does not roll out', () => {
    const rollout = new Rollout({ replicas: 2, image: 'a' });
    rollout.run();
    rollout.change({ replicas: 5, image: 'b', paused: true });
    rollout.run();
    assert.equal(rollout.replicaSets.length, 1);
    assert.equal(rollout.available, 5);
    assert.equal(rollout.condition('Progressing')?.reason, 'DeploymentPaused');
    rollout.change({ replicas: 5, image: 'b' });
    rollout.step();
    assert.equal(rollout.condition('Progressing')?.reason, 'DeploymentResumed');
  });

  test('Recreate waits until the last old pod is gone', () => {
    const rollout = new Rollout({ replicas: 2, image: 'a', recreate: true });
    rollout.run();
    const [old] = rollout.replicaSets;
    rollout.pods = [
      {
        metadata: {
          name: 'p',
          deletionTimestamp: '2026-01-01T00:00:00Z',
          ownerReferences: [
            { apiVersion: 'apps/v1', kind: 'ReplicaSet', name: 'x', uid: old?.metadata.uid ?? '', controller: true },
          ],
        },
      },
    ];
    rollout.change({ replicas: 2, image: 'b', recreate: true });
    rollout.run();
    assert.equal(rollout.asked, 0);
    rollout.pods = [];
    rollout.run();
    assert.equal(rollout.available, 2);
    assert.equal(rollout.replicaSets.length, 2);
  });

  test('history beyond revisionHistoryLimit goes, oldest revision first; undo takes up the old ReplicaSet', () => {
    const shape = { replicas: 1, historyLimit: 2 };
    const rollout = new Rollout({ ...shape, image: 'v1' });
    rollout.run();
    for (const image of ['v2', 'v3', 'v4', 'v5']) {
      rollout.change({ ...shape, image });
      rollout.run();
    }
    const images = () => rollout.replicaSets.map(({ spec }) => spec?.template?.spec?.containers[0]?.image).sort();
    assert.deepEqual(images(), ['v3', 'v4', 'v5']);
    rollout.change({ ...shape, image: 'v4' });
    rollout.run();
    assert.deepEqual(images(), ['v3', 'v4', 'v5']);
    assert.equal(rollout.deployment.metadata.annotations?.['deployment.kubernetes.io/revision'], '6');
  });

  test('a settled Deployment plans nothing', () => {
    const rollout = new Rollout({ replicas: 3, image: 'a' });
    rollout.run();
    const plan = rollout.step();
    assert.deepEqual(plan.actions, []);
    assert.equal(plan.revision, undefined);
    assert.equal(plan.lookAgainMs, undefined);
  });

  test('one in deletion changes nothing any more', () => {
    const rollout = new Rollout({ replicas: 3, image: 'a' });
    rollout.deployment.metadata.deletionTimestamp = '2026-01-01T00:00:00Z';
    assert.deepEqual(rollout.step().actions, []);
  });
});
