import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { hasCode, silentLogger, systemClock } from '@ballast/base';
import { faults, Lab } from '@ballast/lab';
import { run, runAnyExit } from '@ballast/linux';

// Labs of empty machines: nodes that run nothing. What is tested is the floor that clusters stand on.

let root: string;

before(async () => {
  root = await mkdtemp(join(tmpdir(), 'ballast-lab-'));
});

after(async () => {
  for (const name of ['t-one', 't-two']) await Lab.remove({ name, root, clock: systemClock });
  await rm(root, { recursive: true, force: true });
});

const start = (name: string, agents = 1) => Lab.start({ name, agents, root, clock: systemClock, logger: silentLogger });

/** Whether `from` gets an answer from `address`. */
async function pings(lab: Lab, from: string, address: string, seconds = 1): Promise<boolean> {
  const { exitCode } = await lab.exec(from, ['/bin/busybox', 'ping', '-c', '1', '-W', String(seconds), address]);
  return exitCode === 0;
}

/** Everything on this machine that carries the lab's name. */
async function traces(name: string): Promise<string[]> {
  const group = `ballast-lab-${name}`;
  const found = await runAnyExit('find', ['/sys/fs/cgroup', '-maxdepth', '2', '-name', `${group}*`]);
  const mounts = readFileSync('/proc/self/mountinfo', 'utf8')
    .split('\n')
    .filter((line) => line.includes(`/${name}/`));
  const processes = (await run('ps', ['-eo', 'args'])).split('\n').filter((line) => line.includes(`${root}/${name}`));
  const links = (await run('ip', ['-o', 'link']))
    .split('\n')
    .filter((line) => /p-(server|agent|router|client)/.test(line));
  const files = existsSync(join(root, name)) ? [join(root, name)] : [];
  return [...found.stdout.split('\n').filter((line) => line !== ''), ...mounts, ...processes, ...links, ...files];
}

describe('machines of a lab', () => {
  test('they see each other on the LAN, and have their own names, processes and interfaces', async () => {
    await using lab = await start('t-one');
    assert.equal(await pings(lab, 'client', '192.0.2.11'), true);
    assert.equal(await pings(lab, 'agent-1', '192.0.2.1'), true);
    const server = lab.machine('server');
    assert.equal(await server.run(['hostname']), 'server\n');
    assert.match(await server.run(['cat', '/etc/hosts']), /192\.0\.2\.12 agent-1/);
    assert.equal((await server.run(['ls', '/sys/class/net'])).trim(), 'eth0\nlo');
    assert.ok((await server.run(['ps', '-e', '-o', 'pid='])).trim().split('\n').length < 8);
    assert.equal((await server.run(['cat', '/proc/1/cgroup'])).includes('ballast-lab'), false);
  });

  test('they leave no process, link, mount, control group or file', async () => {
    const lab = await start('t-one');
    await lab[Symbol.asyncDispose]();
    assert.deepEqual(await traces('t-one'), []);
  });

  test('after SIGKILL of everything, the next start cleans and works', async () => {
    const lab = await start('t-one');
    for (const { name } of lab.topology.machines) {
      const pids = await lab.machine(name).processes(() => true);
      await runAnyExit('kill', ['-9', ...pids.map(String)]);
    }
    const steps: string[] = [];
    await using again = await Lab.start({
      name: 't-one',
      agents: 1,
      root,
      clock: systemClock,
      logger: silentLogger,
      onProgress: (step) => steps.push(step),
    });
    assert.match(steps[0] ?? '', /removing what an earlier run/);
    assert.equal(await pings(again, 'client', '192.0.2.11'), true);
  });

  test('what only half survived is removed as well', async () => {
    const lab = await start('t-one');
    await runAnyExit('kill', ['-9', ...(await lab.lanSwitch.processes(() => true)).map(String)]);
    assert.equal(await Lab.remove({ name: 't-one', root, clock: systemClock }), true);
    assert.deepEqual(await traces('t-one'), []);
    assert.equal(await Lab.remove({ name: 't-one', root, clock: systemClock }), false);
  });

  test('a second start says what is running', async () => {
    await using _lab = await start('t-one');
    await assert.rejects(
      start('t-one'),
      (error) => hasCode(error, 'lab-running') && /2 nodes, started by "lab up" at/.test(error.message),
    );
  });

  test('two labs with the same addresses run side by side', async () => {
    await using one = await start('t-one', 0);
    await using two = await start('t-two', 0);
    assert.equal(await pings(one, 'client', '192.0.2.11'), true);
    await one.powerOff('server');
    assert.equal(await pings(two, 'client', '192.0.2.11'), true);
    assert.equal(await pings(one, 'client', '192.0.2.11'), false);
  });

  test('a lab whose state was kept comes back with its disks', async () => {
    const lab = await start('t-one', 2);
    await lab
      .machine('agent-1')
      .run(['sh', '-c', `echo kept > ${join(lab.dir, 'agent-1', 'note')}; echo mine > /etc/ballast-note`]);
    const token = readFileSync(join(lab.dir, 'server/state/server/token'), 'utf8');
    await lab.stopKeepingState();
    await using again = await start('t-one', 0);
    assert.equal(again.topology.machines.filter(({ role }) => role === 'agent').length, 2);
    assert.equal(await again.machine('agent-1').run(['cat', '/etc/ballast-note']), 'mine\n');
    assert.equal(readFileSync(join(again.dir, 'server/state/server/token'), 'utf8'), token);
  });

  test('orphans of a machine are reaped by its first process, and a dying service is started again', async () => {
    await using lab = await Lab.start({
      name: 't-one',
      agents: 0,
      root,
      clock: systemClock,
      logger: silentLogger,
      ballast: ['/bin/sh', '-c', '(setsid sleep 0.1 &) ; sleep 0.2'],
    });
    const log = join(lab.dir, 'server/log/init.log');
    for (let i = 0; i < 80 && !/starting it again/.test(readFileSync(log, 'utf8')); i++) await systemClock.sleep(50);
    assert.match(readFileSync(log, 'utf8'), /starting it again/);
    assert.doesNotMatch(await lab.machine('server').run(['ps', '-e', '-o', 'stat=,args=']), /^Z/m);
  });
});

describe('faults', () => {
  test('a power cut takes a machine off the LAN, and it comes back with its address', async () => {
    await using lab = await start('t-one');
    await faults.kill(lab, 'agent-1');
    assert.equal(await pings(lab, 'client', '192.0.2.12'), false);
    await assert.rejects(lab.machine('agent-1').run(['true']), (error) => hasCode(error, 'lab-machine-off'));
    await assert.rejects(faults.kill(lab, 'agent-1'), (error) => hasCode(error, 'lab-machine-off'));
    await faults.start(lab, 'agent-1');
    assert.equal(await pings(lab, 'client', '192.0.2.12'), true);
  });

  test('a cut cable loses carrier on both ends', async () => {
    await using lab = await start('t-one');
    await faults.cut(lab, 'agent-1');
    assert.equal(await pings(lab, 'client', '192.0.2.12'), false);
    assert.match(await lab.machine('agent-1').run(['ip', 'link', 'show', 'eth0']), /NO-CARRIER/);
    await faults.mend(lab, 'agent-1');
    assert.equal(await pings(lab, 'client', '192.0.2.12', 3), true);
  });

  test('loss drops frames in both directions until it is ended', async () => {
    await using lab = await start('t-one');
    await faults.loss(lab, 'agent-1', 100);
    assert.equal(await pings(lab, 'client', '192.0.2.12'), false);
    await faults.loss(lab, 'agent-1', 0);
    assert.equal(await pings(lab, 'client', '192.0.2.12'), true);
    await assert.rejects(faults.loss(lab, 'agent-1', 101), (error) => hasCode(error, 'lab-loss'));
  });

  test('machines and roles that do not exist are told, with those that do', async () => {
    await using lab = await start('t-one');
    await assert.rejects(async () => faults.kill(lab, 'agent-9'), /there are switch, router, client, server, agent-1/);
    await assert.rejects(faults.freeze(lab, 'server', 'etcd'), /there are apiserver, controller, node, dns/);
    await assert.rejects(faults.freeze(lab, 'router', 'dns'), /router is no node/);
  });

  test("the router's FRR starts again", async () => {
    await using lab = await start('t-one', 0);
    const bgpd = () => lab.machine('router').processes((argv) => argv[0]?.endsWith('/bgpd') ?? false);
    const wait = async (ready: (pids: number[]) => boolean) => {
      for (let i = 0; i < 100; i++) {
        const pids = await bgpd();
        if (ready(pids)) return pids;
        await systemClock.sleep(50);
      }
      throw new Error('bgpd does not come');
    };
    const [first] = await wait((pids) => pids.length > 0);
    await faults.restartRouter(lab);
    const [second] = await wait((pids) => pids.length > 0 && pids[0] !== first);
    assert.ok(second);
  });
});

test('the host port leads to the LAN, and goes with the lab', async () => {
  const lab = await start('t-one', 0);
  const { hostPort } = lab.state;
  assert.ok(hostPort > 0);
  const serving = lab.machine('server').run(['sh', '-c', 'echo hello | timeout 5 /bin/busybox nc -l -p 6443']);
  await systemClock.sleep(200);
  const answer = await new Promise<string>((resolve, reject) => {
    let text = '';
    connect({ host: '127.0.0.1', port: hostPort })
      .on('data', (chunk) => {
        text += chunk;
      })
      .on('error', reject)
      .on('close', () => resolve(text));
  });
  assert.equal(answer, 'hello\n');
  await serving.catch(() => {});
  await lab[Symbol.asyncDispose]();
  // The port is free again.
  const server = createServer();
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(hostPort, '127.0.0.1', resolve));
  server.close();
});
