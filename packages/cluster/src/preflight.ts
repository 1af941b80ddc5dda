import { readFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { BallastError, errnoOf } from '@ballast/base';
import { findProgram, runAnyExit } from '@ballast/linux';

/** Something this machine lacks, and what to do about it. */
export interface PreflightProblem {
  readonly lacks: string;
  readonly remedy: string;
}

export interface PreflightOptions {
  readonly cniBinDir: string;
  /** TCP ports of this machine that must be free. */
  readonly ports: readonly { readonly port: number; readonly host: string; readonly purpose: string }[];
}

/** The Debian package of each program that a node starts. */
const PROGRAMS: Readonly<Record<string, string>> = {
  containerd: 'containerd',
  ctr: 'containerd',
  runc: 'runc',
  nft: 'nftables',
  conntrack: 'conntrack',
  ip: 'iproute2',
  nsenter: 'util-linux',
  mount: 'mount',
};

const CNI_PLUGINS = ['ptp', 'bridge', 'host-local', 'loopback'];

/** Linux 5.13 is the oldest kernel whose nftables has all that the service proxy uses; Debian 12 has 6.1. */
const OLDEST_KERNEL = [5, 13] as const;

/** Throws unless this process is root's. */
export function requireRoot(): void {
  if (process.getuid?.() === 0) return;
  throw new BallastError(
    'preflight',
    'a node needs the network, mounts and control groups of the machine: run it as root (sudo)',
  );
}

/** Everything that keeps this machine from being a node, at once; empty when it is fit. */
export async function findPreflightProblems(options: PreflightOptions): Promise<PreflightProblem[]> {
  const found = await Promise.all([
    checkKernelVersion(),
    ...Object.entries(PROGRAMS).map(([program, pkg]) => checkProgram(program, pkg)),
    ...CNI_PLUGINS.map((plugin) => checkCniPlugin(options.cniBinDir, plugin)),
    checkNftables(),
    checkOverlay(),
    checkControlGroups(),
    ...options.ports.map(checkPort),
  ]);
  return found.filter((problem) => problem !== undefined);
}

/** Throws one error that lists every problem with its remedy. */
export async function preflight(options: PreflightOptions): Promise<void> {
  const problems = await findPreflightProblems(options);
  if (problems.length === 0) return;
  throw new BallastError('preflight', formatPreflightProblems(problems));
}

export function formatPreflightProblems(problems: readonly PreflightProblem[]): string {
  const lines = problems.map(({ lacks, remedy }) => `  - ${lacks}: ${remedy}`);
  return `this machine cannot be a node:\n${lines.join('\n')}`;
}

async function checkKernelVersion(): Promise<PreflightProblem | undefined> {
  return judgeKernel((await readFile('/proc/sys/kernel/osrelease', 'utf8')).trim());
}

/** The verdict on a kernel release such as '6.1.0-18-amd64'. */
export function judgeKernel(release: string): PreflightProblem | undefined {
  const [major = 0, minor = 0] = release.split('.').map((part) => Number.parseInt(part, 10));
  const [needMajor, needMinor] = OLDEST_KERNEL;
  if (major > needMajor || (major === needMajor && minor >= needMinor)) return undefined;
  return {
    lacks: `kernel ${needMajor}.${needMinor} (this is ${release})`,
    remedy: 'install a newer kernel (on Debian: apt-get install linux-image-amd64) and reboot',
  };
}

async function checkProgram(program: string, pkg: string): Promise<PreflightProblem | undefined> {
  if ((await findProgram(program)) !== undefined) return undefined;
  return { lacks: `program ${program}`, remedy: `apt-get install ${pkg}` };
}

async function checkCniPlugin(dir: string, plugin: string): Promise<PreflightProblem | undefined> {
  if ((await findProgram(plugin, [dir])) !== undefined) return undefined;
  return {
    lacks: `CNI plugin ${join(dir, plugin)}`,
    remedy: 'apt-get install containernetworking-plugins, or set cni-bin-dir to where the plugins are',
  };
}

/** Asks the kernel by trying: a transaction that is checked (-c) and not carried out. */
async function checkNftables(): Promise<PreflightProblem | undefined> {
  const trial = `table ip ballast_trial {
  map verdicts { type ipv4_addr . inet_proto . inet_service : verdict; }
  chain nat { type nat hook prerouting priority dstnat; numgen random mod 2 vmap { 0 : accept, 1 : accept }; }
}
`;
  const result = await runAnyExit('nft', ['-c', '-f', '-'], { input: trial }).catch(() => undefined);
  // A missing program has its own line.
  if (result === undefined || result.exitCode === 0) return undefined;
  return {
    lacks: 'nftables with NAT in the kernel (CONFIG_NF_TABLES, CONFIG_NFT_NAT, CONFIG_NFT_NUMGEN)',
    remedy: `use a distribution kernel, or load nf_tables and nft_chain_nat; nft says: ${result.stderr.trim().split('\n')[0]}`,
  };
}

async function checkOverlay(): Promise<PreflightProblem | undefined> {
  if (/\boverlay$/m.test(await readFile('/proc/filesystems', 'utf8'))) return undefined;
  const loaded = await runAnyExit('modprobe', ['overlay']).catch(() => undefined);
  if (loaded?.exitCode === 0) return undefined;
  return {
    lacks: 'overlayfs in the kernel (CONFIG_OVERLAY_FS)',
    remedy: 'load the module overlay, or use a distribution kernel',
  };
}

async function checkControlGroups(): Promise<PreflightProblem | undefined> {
  const missing = missingControllers(await readFile('/proc/cgroups', 'utf8').catch(() => ''));
  if (missing.length > 0) {
    return {
      lacks: `control group controllers ${missing.join(', ')}`,
      remedy: 'enable them at the kernel command line (cgroup_enable=memory on some boards)',
    };
  }
  if (/ - cgroup2? /.test(await readFile('/proc/self/mountinfo', 'utf8'))) return undefined;
  return { lacks: 'mounted control groups below /sys/fs/cgroup', remedy: 'mount -t cgroup2 cgroup2 /sys/fs/cgroup' };
}

/** Controllers that runc needs and /proc/cgroups does not list as enabled. Kernels without version 1 may leave that file empty. */
export function missingControllers(procCgroups: string): string[] {
  const rows = procCgroups.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  if (rows.length === 0) return [];
  const enabled = new Set(
    rows.map((line) => line.split('\t')).flatMap(([name, , , on]) => (on === '1' && name ? [name] : [])),
  );
  return ['memory', 'pids', 'cpu'].filter((name) => !enabled.has(name));
}

function checkPort(options: { port: number; host: string; purpose: string }): Promise<PreflightProblem | undefined> {
  const { port, host, purpose } = options;
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', (error) => {
      const busy = errnoOf(error) === 'EADDRINUSE';
      resolve({
        lacks: `free port ${port} for the ${purpose}`,
        remedy: busy
          ? `something listens there already; find it with: ss -ltnp 'sport = :${port}'`
          : `${error.message}`,
      });
    });
    server.listen(port, host, () => server.close(() => resolve(undefined)));
  });
}
