// Time to place pods, without any API server: decisions only. Usage: npm run bench -- scheduler [nodes] [pods]
import { Cluster } from '../../packages/scheduler/src/cluster.ts';
import { decide } from '../../packages/scheduler/src/decide.ts';
import { testNode, testPod } from '../../packages/scheduler/src/fixtures.ts';
import { placedPod } from '../../packages/scheduler/src/node-info.ts';

const [nodeCount = 100, podCount = 5000] = process.argv.slice(2).map(Number);
const cluster = new Cluster();
const labelsOf = (index: number) => ({ 'topology.kubernetes.io/zone': `zone-${index % 3}` });
for (let i = 0; i < nodeCount; i++)
  cluster.setNode(testNode(`node-${i}`, { cpu: '64', memory: '256Gi', labels: labelsOf(i) }));

const startedMs = performance.now();
let placed = 0;
for (let i = 0; i < podCount; i++) {
  const pod = testPod(`pod-${i}`, {
    cpu: '100m',
    memory: '128Mi',
    owner: `owner-${i % 50}`,
    labels: { app: `app-${i % 50}` },
  });
  const decision = decide({ placed: placedPod(pod), cluster, random: Math.random, startAt: i });
  if (decision.kind !== 'node') continue;
  cluster.assume(pod, decision.node);
  placed++;
}
const elapsedMs = performance.now() - startedMs;
console.log(
  JSON.stringify({
    nodeCount,
    podCount,
    placed,
    podsPerSecond: Math.round((podCount / elapsedMs) * 1000),
    microsecondsPerPod: Math.round((elapsedMs / podCount) * 1000),
  }),
);
