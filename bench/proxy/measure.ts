import { readFileSync } from 'node:fs';
import { MetricsRegistry, silentLogger, systemClock } from '@ballast/base';
import { ENDPOINT_SLICES, SERVICES } from '@ballast/kube';
import { kernelDataplane, startServiceProxy } from '@ballast/proxy';
import { SyntheticClient, syntheticService, syntheticSlice } from './synthetic-client.ts';

/**
 * One measurement, run inside a network namespace of its own: `measure.ts SERVICES ENDPOINTS`. Prints one JSON object: times in ms, memory
 * in MB. A change is timed from the API server's event to the return of the kernel's commit.
 */
const [services = 10_000, endpoints = 2] = process.argv.slice(2).map(Number);
const CHANGES = 50;

const status = (pid: number | 'self', field: string): number => {
  const line = readFileSync(`/proc/${pid}/status`, 'utf8')
    .split('\n')
    .find((each) => each.startsWith(`${field}:`));
  return Number(/\d+/.exec(line ?? '')?.[0] ?? 0) / 1024;
};

let applied = Promise.withResolvers<void>();
let nftPeakMb = 0;
const kernel = kernelDataplane();
const dataplane = {
  ...kernel,
  async apply(script: string, signal?: AbortSignal) {
    await kernel.apply(script, signal);
    applied.resolve();
  },
};

const rssBeforeMb = status('self', 'VmRSS');
const client = new SyntheticClient({ services, endpoints });
const startMs = performance.now();
const cpuBefore = process.cpuUsage();
const proxy = startServiceProxy({
  client,
  nodeName: 'node-0',
  nodeIps: ['192.0.2.11'],
  clusterCidr: '10.42.0.0/16',
  serviceCidr: '10.43.0.0/16',
  logger: silentLogger,
  clock: systemClock,
  metrics: new MetricsRegistry(),
  dataplane,
});
await proxy.programmed;
const fullMs = performance.now() - startMs;
const cpu = process.cpuUsage(cpuBefore);

const change = async (emit: () => void): Promise<number> => {
  applied = Promise.withResolvers();
  const beganMs = performance.now();
  emit();
  await applied.promise;
  const tookMs = performance.now() - beganMs;
  await new Promise((resolve) => setTimeout(resolve, 20));
  return tookMs;
};
const median = (values: number[]) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
const added: number[] = [];
const changed: number[] = [];
for (let i = 0; i < CHANGES; i++) {
  const index = services + i;
  added.push(
    await change(() => {
      client.emit(ENDPOINT_SLICES, { type: 'ADDED', object: syntheticSlice(index, endpoints) });
      client.emit(SERVICES, { type: 'ADDED', object: syntheticService(index) });
    }),
  );
  changed.push(
    await change(() => client.emit(ENDPOINT_SLICES, { type: 'MODIFIED', object: syntheticSlice(i, endpoints, 1) })),
  );
}
const rssMb = status('self', 'VmRSS');
const peakMb = status('self', 'VmHWM');
await proxy[Symbol.asyncDispose]();
process.stdout.write(
  `${JSON.stringify({ services, endpoints, fullMs, proxyCpuMs: (cpu.user + cpu.system) / 1000, addMs: median(added), changeMs: median(changed), rssBeforeMb, rssMb, peakMb, nftPeakMb })}\n`,
);
nftPeakMb = 0;
