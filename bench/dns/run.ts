/**
 * Compares DNS servers side by side on loopback: CPU time of the server for one query at a fixed rate and at full load, queries a second,
 * latency, memory. `npm run bench -- dns [--seconds N] [--programs DIR]`; needs dnsperf. Other servers are taken when they are in PATH
 * or below DIR (Debian packages unpacked there will do).
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { formatTable } from '../../packages/base/src/index.ts';
import { runAnyExit } from '../../packages/linux/src/process.ts';
import { costOf } from './process-cost.ts';
import { type Subject, subjects } from './subjects.ts';
import { forEachHost } from './zone.ts';

const PORT = 25_353;
const FIXED_RATE = 20_000;

const { values } = parseArgs({
  options: { seconds: { type: 'string', default: '5' }, programs: { type: 'string' }, only: { type: 'string' } },
});
const seconds = Number(values.seconds);
const root = values.programs;
const libraries = root === undefined ? {} : { LD_LIBRARY_PATH: join(root, 'usr/lib/x86_64-linux-gnu') };
const env = { ...process.env, ...libraries };

function find(program: string): string | undefined {
  const folders = [
    ...(root === undefined ? [] : [join(root, 'usr/sbin'), join(root, 'usr/bin')]),
    ...(process.env.PATH ?? '').split(':'),
  ];
  return folders.map((folder) => join(folder, program)).find((path) => existsSync(path));
}

interface Load {
  readonly queries: number;
  readonly perSecond: number;
  readonly latencyMs: number;
  readonly cpuMicroseconds: number;
  readonly lost: number;
}

async function load(pid: number, queryFile: string, extra: readonly string[]): Promise<Load> {
  const dnsperf = find('dnsperf') ?? 'dnsperf';
  const before = costOf(pid);
  const args = [
    '-s',
    '127.0.0.1',
    '-p',
    String(PORT),
    '-d',
    queryFile,
    '-l',
    String(seconds),
    '-c',
    '8',
    '-T',
    '1',
    ...extra,
  ];
  const { stdout } = await runAnyExit(dnsperf, args, { env, timeoutMs: (seconds + 20) * 1000 });
  const after = costOf(pid);
  const number = (pattern: RegExp) => Number(pattern.exec(stdout)?.[1] ?? Number.NaN);
  const queries = number(/Queries completed:\s+(\d+)/);
  return {
    queries,
    perSecond: number(/Queries per second:\s+([\d.]+)/),
    latencyMs: number(/Average Latency \(s\):\s+([\d.]+)/) * 1000,
    cpuMicroseconds: ((after.cpuSeconds - before.cpuSeconds) * 1e6) / queries,
    lost: number(/Queries lost:\s+(\d+)/),
  };
}

async function answers(): Promise<boolean> {
  const { stdout } = await runAnyExit('dig', [
    '@127.0.0.1',
    '-p',
    String(PORT),
    '+short',
    '+noedns',
    '+noadflag',
    '+tries=1',
    '+time=1',
    'host7.bench.test',
  ]);
  return stdout.trim() === '10.9.0.7';
}

async function measure({ title, command }: Subject, queryFile: string): Promise<string[]> {
  if (!command) return [title, 'not installed'];
  const [program = '', ...args] = command;
  const server: ChildProcess = spawn(program, args, { env, stdio: 'ignore' });
  try {
    for (let i = 0; !(await answers()); i++) {
      if (i > 50 || server.exitCode !== null || server.pid === undefined) return [title, 'does not answer'];
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    const pid = server.pid ?? 0;
    await load(pid, queryFile, ['-l', '1']);
    const steady = await load(pid, queryFile, ['-Q', String(FIXED_RATE)]);
    const full = await load(pid, queryFile, ['-q', '200']);
    return [
      title,
      steady.cpuMicroseconds.toFixed(1),
      steady.latencyMs.toFixed(2),
      full.cpuMicroseconds.toFixed(1),
      full.perSecond.toFixed(0),
      String(steady.lost + full.lost),
      costOf(pid).residentMegabytes.toFixed(0),
    ];
  } finally {
    server.kill('SIGTERM');
    if (server.exitCode === null) await new Promise((resolve) => server.once('exit', resolve));
  }
}

const folder = await mkdtemp(join(tmpdir(), 'ballast-bench-dns-'));
try {
  if (find('dnsperf') === undefined) throw new Error('dnsperf is not installed (Debian package dnsperf)');
  const queryFile = join(folder, 'queries');
  await writeFile(
    queryFile,
    forEachHost((name) => `${name} A`),
  );
  const rows = [
    [
      'SERVER',
      `CPU us/query at ${FIXED_RATE}/s`,
      'LATENCY ms',
      'CPU us/query at full load',
      'QUERIES/s',
      'LOST',
      'MEMORY MB',
    ],
  ];
  for (const subject of await subjects({ port: PORT, folder, find })) {
    if (values.only !== undefined && !subject.title.includes(values.only)) continue;
    rows.push(await measure(subject, queryFile));
  }
  process.stdout.write(`${formatTable(rows)}\n`);
} finally {
  await rm(folder, { recursive: true });
}
