import { spawnSync } from 'node:child_process';
import { accessSync, constants, existsSync, globSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { test } from 'node:test';
import { removePodCgroup } from './cgroup.ts';

function skipReason(): string | false {
  if (process.getuid?.() !== 0) return 'needs root for namespaces';
  for (const path of ['/usr/bin/containerd', '/usr/lib/cni/ptp', '/bin/busybox', '/usr/bin/openssl']) {
    try {
      accessSync(path, constants.X_OK);
    } catch {
      return `needs ${path}`;
    }
  }
  return false;
}

const CGROUP = /^ballast-node-test-([0-9]+)$/;

/** Control groups of earlier runs that were killed, processes and all. */
async function removeStaleGroups(): Promise<void> {
  for (const path of globSync('/sys/fs/cgroup/{,*/}ballast-node-test-*')) {
    const pid = CGROUP.exec(basename(path))?.[1];
    if (pid !== undefined && !existsSync(`/proc/${pid}`)) await removePodCgroup(`/${basename(path)}`);
  }
}

/** The scenarios run as a machine of their own: network, mounts and processes end with it. */
test('pods on a real containerd (testbed/scenarios.ts)', { skip: skipReason(), timeout: 180_000 }, async () => {
  await removeStaleGroups();
  const dir = mkdtempSync(join(tmpdir(), 'ballast-node-test-'));
  const cgroup = `/ballast-node-test-${process.pid}`;
  try {
    const inside = 'mount --make-rprivate / && mount -t tmpfs tmpfs /run && ip link set lo up && "$@"; exit $?';
    const scenarios = join(import.meta.dirname, 'testbed/scenarios.ts');
    const unshare = ['--net', '--mount', '--pid', '--fork', '--kill-child=SIGKILL', '--mount-proc'];
    const command = ['sh', '-c', inside, 'sh', process.execPath, scenarios, dir, cgroup];
    const result = spawnSync('unshare', [...unshare, ...command], {
      encoding: 'utf8',
      env: { ...process.env, NODE_TEST_CONTEXT: undefined },
      timeout: 170_000,
      killSignal: 'SIGKILL',
    });
    process.stdout.write(result.stdout.replaceAll(/^/gm, '  '));
    if (result.status !== 0)
      throw new Error(`scenarios failed (${result.status ?? result.signal}):\n${result.stdout}\n${result.stderr}`);
  } finally {
    await removePodCgroup(cgroup);
    rmSync(dir, { recursive: true, force: true });
  }
});
