import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { silentLogger, systemClock } from '@ballast/base';
import { formatProcessIdentity, identifyProcess } from '@ballast/linux';
import { lastLines } from './role-log.ts';
import { type RoleProcess, startRoleProcess } from './role-process.ts';

async function folder(): Promise<AsyncDisposable & { path: string }> {
  const path = await mkdtemp(join(tmpdir(), 'ballast-role-'));
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true }) };
}

function start(dir: string, script: string): RoleProcess {
  return startRoleProcess({
    name: 'fake',
    command: [process.execPath, '--eval', script],
    logPath: join(dir, 'fake.log'),
    pidDir: dir,
    logger: silentLogger,
    clock: systemClock,
    stopTimeoutMs: 200,
  });
}

const LEASHED = `process.on('disconnect', () => process.exit(0)); setInterval(() => {}, 1000); process.send({ type: 'ready' });`;

async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = Date.now() + 5000;
  while (!(await condition())) {
    assert.ok(Date.now() < deadline, 'in time');
    await systemClock.sleep(10);
  }
}

test('a role that is killed comes back, and its log goes on', async () => {
  await using dir = await folder();
  await using role = start(dir.path, `console.log('hello'); ${LEASHED}`);
  await role.ready;
  const first = role.pid;
  assert.ok(first);
  process.kill(first, 'SIGKILL');
  await until(() => role.pid !== undefined && role.pid !== first);
  await until(async () => (await readFile(join(dir.path, 'fake.log'), 'utf8')) === 'hello\nhello\n');
});

test('a role whose pid file cannot be written runs, and is started again when it ends', async () => {
  await using dir = await folder();
  await mkdir(join(dir.path, 'fake.pid/in-the-way'), { recursive: true });
  await using role = start(dir.path, LEASHED);
  await role.ready;
  const first = role.pid;
  assert.ok(first);
  process.kill(first, 'SIGKILL');
  await until(() => role.pid !== undefined && role.pid !== first);
});

test('a role that cannot be started now is tried again', async () => {
  await using dir = await folder();
  // A file where the folder of the log should be.
  await writeFile(join(dir.path, 'logs'), '');
  await using role = startRoleProcess({
    name: 'fake',
    command: [process.execPath, '--eval', LEASHED],
    logPath: join(dir.path, 'logs/fake.log'),
    pidDir: dir.path,
    logger: silentLogger,
    clock: systemClock,
    stopTimeoutMs: 200,
  });
  await systemClock.sleep(10);
  await rm(join(dir.path, 'logs'));
  await role.ready;
});

test('a role that does not heed SIGTERM is killed', async () => {
  await using dir = await folder();
  const role = start(dir.path, `process.on('SIGTERM', () => {}); ${LEASHED}`);
  await role.ready;
  const pid = role.pid ?? 0;
  await role[Symbol.asyncDispose]();
  assert.equal(await identifyProcess(pid), undefined);
});

test('what an earlier supervisor left behind is killed before its successor starts', async () => {
  await using dir = await folder();
  const leftover = spawn('sleep', ['60'], { stdio: 'ignore' });
  const identity = await identifyProcess(leftover.pid ?? 0);
  assert.ok(identity);
  await writeFile(join(dir.path, 'fake.pid'), formatProcessIdentity(identity));
  const gone = new Promise((resolve) => leftover.once('exit', resolve));
  await using role = start(dir.path, LEASHED);
  await role.ready;
  await gone;
});

test('a role whose supervisor is killed ends by itself', async () => {
  await using dir = await folder();
  const room = JSON.stringify(join(import.meta.dirname, 'role-process.ts'));
  const supervisor = spawn(
    process.execPath,
    [
      '--input-type=module',
      '--eval',
      `import { startRoleProcess } from ${room};
       import { silentLogger, systemClock } from '@ballast/base';
       const role = startRoleProcess({ name: 'fake', command: [process.execPath, '--eval', ${JSON.stringify(LEASHED)}],
         logPath: ${JSON.stringify(join(dir.path, 'fake.log'))}, pidDir: ${JSON.stringify(dir.path)}, logger: silentLogger, clock: systemClock });
       await role.ready; console.log(role.pid);`,
    ],
    { stdio: ['ignore', 'pipe', 'inherit'], cwd: import.meta.dirname },
  );
  const pid = await new Promise<number>((resolve) =>
    supervisor.stdout.once('data', (text) => resolve(Number(String(text)))),
  );
  supervisor.kill('SIGKILL');
  await until(async () => (await identifyProcess(pid)) === undefined);
});

test('the last lines of a log', async () => {
  await using dir = await folder();
  const path = join(dir.path, 'x.log');
  await writeFile(path, 'a\nb\nc\n');
  assert.deepEqual(await lastLines(path, 2), ['b', 'c']);
  assert.deepEqual(await lastLines(join(dir.path, 'missing'), 2), []);
});
