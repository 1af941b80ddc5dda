import { readFileSync } from 'node:fs';
import { MetricsRegistry, silentLogger, systemClock } from '@ballast/base';
import { ENDPOINT_SLICES, SERVICES } from '@ballast/kube';
import { runAnyExit } from '@ballast/linux';
import { kernelDataplane, startServiceProxy } from '@ballast/proxy';
import { SyntheticClient, syntheticService, syntheticSlice } from './synthetic-client.ts';

/**
 * One measurement, run inside a network namespace of its own: `measure.ts SERVICES ENDPOINTS`. Prints one JSON object: times in ms, memory
 * in MB. A change is timed from the event of the API server to the return of the kernel's commit.
 */
const [services = 10_000, endpoints = 2] = process.argv.slice(2).map(Number);
const CHANGES = 50;
const PAUSE_MS = 30;

export interface Measurement {
  readonly fullMs: number;
  readonly fullCpuMs: number;
  readonly restartMs: number;
  readonly addMs: number;
  readonly changeMs: number;
  readonly emptyRssMb: number;
  readonly rssMb: number;
  readonly peakRssMb: number;
  readonly nftPeakRssMb: number;
}

const statusMb = (field: string): number => {
  const line = readFileSync('/proc/self/status', 'utf8')
    .split('\n')
    .find((each) => each.startsWith(`${field}:`));
  return Number(/\d+/.exec(line ?? '')?.[0] ?? 0) / 1024;
};
const median = (values: number[]) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;

let applied = Promise.withResolvers<void>();
let nftPeakRssMb = 0;

/** The real kernel, with a look at when transactions return and at what nft takes. */
function watchedDataplane() {
  const kernel = kernelDataplane();
  return {
    ...kernel,
    async apply(script: string) {
      const { exitCode, stderr } = await runAnyExit('busybox', ['time', '-v', 'nft', '-f', '-'], { input: script });
      if (exitCode !== 0) throw new Error(stderr);
      const peakKb = Number(/Maximum resident set size \(kbytes\): (\d+)/.exec(stderr)?.[1] ?? 0);
      nftPeakRssMb = Math.max(nftPeakRssMb, peakKb / 1024);
    },
    change(changes: Parameters<typeof kernel.change>[0]) {
      kernel.change(changes);
      applied.resolve();
    },
  };
}

const client = new SyntheticClient({ services, endpoints });
const start = () =>
  startServiceProxy({
    client,
    nodeName: 'node-0',
    nodeIps: ['192.0.2.11'],
    clusterCidr: '10.42.0.0/16',
    serviceCidr: '10.43.0.0/16',
    logger: silentLogger,
    clock: systemClock,
    metrics: new MetricsRegistry(),
    dataplane: watchedDataplane(),
  });

async function timedChange(emit: () => void): Promise<number> {
  applied = Promise.withResolvers();
  const startMs = performance.now();
  emit();
  await applied.promise;
  const tookMs = performance.now() - startMs;
  await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
  return tookMs;
}

const emptyRssMb = statusMb('VmRSS');
const startMs = performance.now();
const startCpu = process.cpuUsage();
const proxy = start();
await proxy.programmed;
const fullMs = performance.now() - startMs;
const cpu = process.cpuUsage(startCpu);

const added: number[] = [];
const changed: number[] = [];
for (let i = 0; i < CHANGES; i++) {
  const index = services + i;
  added.push(
    await timedChange(() => {
      client.emit(ENDPOINT_SLICES, { type: 'ADDED', object: syntheticSlice(index, endpoints) });
      client.emit(SERVICES, { type: 'ADDED', object: syntheticService(index) });
    }),
  );
  const slice = syntheticSlice(i, endpoints, 1);
  changed.push(await timedChange(() => client.emit(ENDPOINT_SLICES, { type: 'MODIFIED', object: slice })));
}
const memory = { rssMb: statusMb('VmRSS'), peakRssMb: statusMb('VmHWM') };
await proxy[Symbol.asyncDispose]();

const restartAtMs = performance.now();
const successor = start();
await successor.programmed;
const restartMs = performance.now() - restartAtMs;
await successor[Symbol.asyncDispose]();

const measurement: Measurement = {
  fullMs,
  fullCpuMs: (cpu.user + cpu.system) / 1000,
  restartMs,
  addMs: median(added),
  changeMs: median(changed),
  emptyRssMb,
  ...memory,
  nftPeakRssMb,
};
process.stdout.write(`${JSON.stringify(measurement)}\n`);
