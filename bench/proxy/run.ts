import { fileURLToPath } from 'node:url';
import { formatTable } from '@ballast/base';
import { run, runAnyExit } from '@ballast/linux';
import type { Measurement } from './measure.ts';

/**
 * `npm run bench -- proxy`: what it costs to program Services into the kernel. Each size is measured three times in a fresh network namespace
 * (the best run is shown), and 10,000 Services are set beside kube-proxy 1.36 in nftables mode, as measured for ARCHITECTURE.md on two cores;
 * kube-proxy itself is not run here.
 */
const KUBE_PROXY = { fullMs: 27_900, changeMs: 3_500, rssMb: 186 };
const SIZES = [
  { services: 1_000, endpoints: 2 },
  { services: 10_000, endpoints: 2 },
  { services: 40_000, endpoints: 2 },
] as const;
const RUNS = 3;
/** What a role of the platform is started with: the default young generation takes up to 130 MB for nothing. */
const NODE_FLAGS = ['--max-semi-space-size=2'];

const netns = `bpx-${process.pid}-bench`;
const script = fileURLToPath(new URL('measure.ts', import.meta.url));

async function measure(services: number, endpoints: number): Promise<Measurement> {
  await run('ip', ['netns', 'add', netns]);
  try {
    const args = [process.execPath, ...NODE_FLAGS, script, String(services), String(endpoints)];
    const output = await run('ip', ['netns', 'exec', netns, ...args], { timeoutMs: 300_000 });
    return JSON.parse(output) as Measurement;
  } finally {
    await runAnyExit('ip', ['netns', 'delete', netns]);
  }
}

const rows: string[][] = [
  [
    'SERVICES',
    'ENDPOINTS',
    'ALL',
    'CPU',
    'RESTART',
    'ONE MORE',
    'ONE ENDPOINT',
    'RSS',
    'RSS EMPTY',
    'RSS PEAK',
    'NFT RSS',
  ],
];
const ms = (value: number) => (value < 100 ? `${value.toFixed(1)} ms` : `${(value / 1000).toFixed(2)} s`);
const mb = (value: number) => `${value.toFixed(0)} MB`;
let compared: Measurement | undefined;
for (const { services, endpoints } of SIZES) {
  let best: Measurement | undefined;
  for (let i = 0; i < RUNS; i++) {
    const found = await measure(services, endpoints);
    if (!best || found.fullMs < best.fullMs) best = found;
  }
  if (!best) continue;
  if (services === 10_000) compared = best;
  rows.push([
    String(services),
    String(services * endpoints),
    ms(best.fullMs),
    ms(best.fullCpuMs),
    ms(best.restartMs),
    ms(best.addMs),
    ms(best.changeMs),
    mb(best.rssMb),
    mb(best.emptyRssMb),
    mb(best.peakRssMb),
    mb(best.nftPeakRssMb),
  ]);
}
process.stdout.write(`${formatTable(rows)}\n\n`);
if (compared) {
  const line = (what: string, theirs: string, ours: string, ratio: number) => [
    what,
    theirs,
    ours,
    `${ratio.toFixed(1)}x`,
  ];
  const comparison = [
    ['10,000 SERVICES OF 2', 'KUBE-PROXY 1.36 NFTABLES', 'BALLAST', 'RATIO'],
    line('everything', ms(KUBE_PROXY.fullMs), ms(compared.fullMs), KUBE_PROXY.fullMs / compared.fullMs),
    line('one change', ms(KUBE_PROXY.changeMs), ms(compared.addMs), KUBE_PROXY.changeMs / compared.addMs),
    line('memory', mb(KUBE_PROXY.rssMb), mb(compared.rssMb), KUBE_PROXY.rssMb / compared.rssMb),
  ];
  process.stdout.write(`${formatTable(comparison)}\n`);
}
