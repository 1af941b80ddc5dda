import { access, constants } from 'node:fs/promises';
import { BallastError } from '@ballast/base';
import { formatPreflightProblems, type PreflightProblem } from '@ballast/cluster';
import { findProgram, runAnyExit } from '@ballast/linux';
import { mountedHierarchies } from './control-groups.ts';

/** Programs of the host that a lab uses, and their Debian packages. */
const PROGRAMS: Readonly<Record<string, string>> = {
  '/bin/busybox': 'busybox-static',
  '/bin/bash': 'bash',
  '/usr/bin/unshare': 'util-linux',
  '/usr/bin/nsenter': 'util-linux',
  '/usr/lib/frr/zebra': 'frr',
  '/usr/lib/frr/bgpd': 'frr',
  '/usr/bin/vtysh': 'frr',
};

/** Throws one error that lists everything that keeps this machine from holding a lab. What nodes need, they say themselves. */
export async function labPreflight(): Promise<void> {
  if (process.getuid?.() !== 0) {
    throw new BallastError(
      'preflight',
      'a lab makes network namespaces, mounts and control groups: run it as root (sudo)',
    );
  }
  const problems: PreflightProblem[] = [];
  for (const [path, pkg] of Object.entries(PROGRAMS)) {
    await access(path, constants.X_OK).catch(() =>
      problems.push({ lacks: `program ${path}`, remedy: `apt-get install ${pkg}` }),
    );
  }
  for (const [program, pkg] of [
    ['ip', 'iproute2'],
    ['nft', 'nftables'],
  ] as const) {
    const found = await findProgram(program);
    if (!found) problems.push({ lacks: `program ${program}`, remedy: `apt-get install ${pkg}` });
  }
  if (problems.length === 0) problems.push(...(await tryNamespaces()));
  if ((await mountedHierarchies()).length === 0) {
    problems.push({
      lacks: 'mounted control groups below /sys/fs/cgroup',
      remedy: 'mount -t cgroup2 cgroup2 /sys/fs/cgroup',
    });
  }
  if (problems.length > 0)
    throw new BallastError('preflight', formatPreflightProblems(problems).replace('be a node', 'hold a lab'));
}

/** Makes for a moment what a lab is made of; each step names the kernel feature that it tries. */
async function tryNamespaces(): Promise<PreflightProblem[]> {
  const inside = async (feature: string, remedy: string, ...command: string[]) => {
    const flags = ['--net', '--mount', '--pid', '--uts', '--ipc', '--cgroup', '--fork'];
    const { exitCode, stderr } = await runAnyExit('/usr/bin/unshare', [...flags, '--', ...command]);
    return exitCode === 0 ? [] : [{ lacks: feature, remedy: `${remedy}; the kernel says: ${stderr.trim()}` }];
  };
  const namespaces = await inside(
    'namespaces (network, mount, PID, UTS, IPC, cgroup)',
    'use a distribution kernel; in a container, run it privileged',
    'true',
  );
  if (namespaces.length > 0) return namespaces;
  const found = await Promise.all([
    inside('bridge devices (CONFIG_BRIDGE)', 'load the module bridge', 'ip', 'link', 'add', 'b0', 'type', 'bridge'),
    inside(
      'virtual cables (CONFIG_VETH)',
      'load the module veth',
      'ip',
      'link',
      'add',
      'v0',
      'type',
      'veth',
      'peer',
      'name',
      'v1',
    ),
  ]);
  return found.flat();
}
