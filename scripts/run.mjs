// What `npm start`, `npm test`, `npm run check` and `npm run bench` run, on the machine's own Node (18 or newer will do). It makes sure of what is needed,
// says so, and hands over to the Node 24 that comes with the packages. Plain JavaScript without imports but Node's own: nothing is installed
// yet when it starts.
import { spawn, spawnSync } from 'node:child_process';
import {
  accessSync,
  chmodSync,
  constants,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { availableParallelism, cpus, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { stripVTControlCharacters } from 'node:util';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');

/** Debian packages, each with a file that tells whether it is there. */
const DEBIAN_PACKAGES = {
  containerd: ['/usr/bin/containerd'],
  runc: ['/usr/sbin/runc', '/usr/bin/runc'],
  'containernetworking-plugins': ['/usr/lib/cni/bridge'],
  nftables: ['/usr/sbin/nft'],
  iproute2: ['/usr/sbin/ip', '/usr/bin/ip', '/sbin/ip', '/bin/ip'],
  conntrack: ['/usr/sbin/conntrack'],
  'busybox-static': ['/usr/share/doc/busybox-static'],
  frr: ['/usr/lib/frr/bgpd'],
  'bind9-dnsutils': ['/usr/bin/dig'],
  curl: ['/usr/bin/curl'],
};

/** What only the tests need besides. */
const TEST_PACKAGES = {
  openssl: ['/usr/bin/openssl'],
  procps: ['/usr/bin/pkill'],
};

/** Services that these packages would start; on this machine they are not ours to run. */
const PACKAGE_SERVICES = { containerd: 'containerd.service', frr: 'frr.service' };

/** A failure that the user can do something about: shown without a stack. */
export class Trouble extends Error {}

const started = Date.now();
function say(text) {
  process.stderr.write(`${((Date.now() - started) / 1000).toFixed(1).padStart(5)} s  ${text}\n`);
}

/** The folder below node_modules with the Node to run on. */
export function nodePackage(platform, arch) {
  if (platform !== 'linux')
    throw new Trouble(`Ballast runs on Linux; this is ${platform}. A Debian 12 virtual machine will do.`);
  if (arch !== 'x64' && arch !== 'arm64') {
    throw new Trouble(`Ballast runs on x86_64 and aarch64 processors; this is ${arch}.`);
  }
  return `node-linux-${arch}`;
}

/** Whether what npm has installed is what the lock file asks for. Optional packages may be missing: they are for other machines. */
export function isInstalled(lock, installed) {
  return Object.entries(lock.packages).every(([path, wanted]) => {
    if (!path.startsWith('node_modules/') || wanted.link) return true;
    const found = installed.packages[path];
    return found === undefined
      ? wanted.optional === true || wanted.devOptional === true
      : found.version === wanted.version;
  });
}

/** Debian packages of which no file is there. */
export function missingPackages(packages, exists) {
  return Object.keys(packages).filter((name) => !packages[name].some(exists));
}

/** The numbers in the closing lines of node's test runner. */
export function testCounts(output) {
  const number = (name) => Number(new RegExp(`^(?:ℹ|#) ${name} (\\d+)$`, 'm').exec(output)?.[1] ?? 0);
  return { passed: number('pass'), failed: number('fail') + number('cancelled'), skipped: number('skipped') };
}

function readJson(path) {
  try {
    return JSON.parse(readFileSync(path, 'utf8'));
  } catch {
    return undefined;
  }
}

function ensureNpmPackages() {
  const node = join(root, 'node_modules', nodePackage(process.platform, process.arch), 'bin/node');
  const lock = readJson(join(root, 'package-lock.json'));
  const installed = readJson(join(root, 'node_modules/.package-lock.json'));
  if (!lock)
    throw new Trouble('package-lock.json is missing or damaged: restore it with "git checkout package-lock.json".');
  if (!installed || !isInstalled(lock, installed) || !existsSync(node)) {
    say('installing npm packages (once)');
    const npm = process.env.npm_execpath;
    const args = ['ci', '--no-audit', '--no-fund', '--loglevel=error'];
    const result = npm
      ? spawnSync(process.execPath, [npm, ...args], { cwd: root, stdio: ['ignore', 'ignore', 'inherit'] })
      : spawnSync('npm', args, { cwd: root, stdio: ['ignore', 'ignore', 'inherit'] });
    if (result.status !== 0) {
      throw new Trouble(
        'npm ci failed (its words are above). Without a network, set a reachable registry: npm config set registry URL.',
      );
    }
    if (!existsSync(node))
      throw new Trouble(`npm did not install ${node}; is "omit=optional" set in your npm configuration?`);
  }
  try {
    accessSync(node, constants.X_OK);
  } catch {
    chmodSync(node, 0o755);
  }
  return node;
}

function requireRoot(task) {
  if (process.getuid() === 0) return;
  throw new Trouble(
    `npm ${task} makes network namespaces, mounts and control groups: run it as root (sudo npm ${task}).`,
  );
}

async function ensureDebianPackages(packages) {
  const missing = missingPackages(packages, existsSync);
  if (missing.length === 0) return;
  if (!existsSync('/usr/bin/apt-get')) {
    throw new Trouble(
      `these programs are missing, and there is no apt-get to install them with: ${missing.join(', ')}.`,
    );
  }
  say(`installing Debian packages (once): ${missing.join(' ')}`);
  const restore = keepServicesDown();
  try {
    if (!hasPackageLists()) await apt('reading package lists', ['update']);
    const install = ['install', '-y', '--no-install-recommends', ...missing];
    // Lists that are old name files that are gone: read them anew, once.
    if (!(await apt('installing', install, { mayFail: true }))) {
      await apt('reading package lists', ['update']);
      await apt('installing', install);
    }
  } finally {
    restore();
  }
  if (existsSync('/run/systemd/system')) {
    for (const name of missing) {
      const service = PACKAGE_SERVICES[name];
      if (service) spawnSync('systemctl', ['disable', '--quiet', service], { stdio: 'ignore' });
    }
  }
}

function hasPackageLists() {
  try {
    return readdirSync('/var/lib/apt/lists').some((name) => /_Packages(\.\w+)?$/.test(name));
  } catch {
    return false;
  }
}

/** Debian's own switch (policy-rc.d) against starting services while packages are installed. Returns what puts things back. */
function keepServicesDown() {
  const policy = '/usr/sbin/policy-rc.d';
  if (existsSync(policy)) return () => {};
  mkdirSync(dirname(policy), { recursive: true });
  writeFileSync(policy, '#!/bin/sh\n# Made by Ballast for the time of an installation.\nexit 101\n', { mode: 0o755 });
  const remove = () => rmSync(policy, { force: true });
  process.once('exit', remove);
  return remove;
}

/** Runs apt-get, showing each package as it comes. False when it failed and may. */
async function apt(what, args, { mayFail = false } = {}) {
  const child = spawn('apt-get', ['-o', 'DPkg::Lock::Timeout=120', '-o', 'Dpkg::Use-Pty=0', ...args], {
    env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive', LC_ALL: 'C' },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const said = [];
  let line = '';
  const take = (chunk) => {
    line += chunk;
    const lines = line.split('\n');
    line = lines.pop();
    for (const text of lines) {
      said.push(text);
      const step = /^(Setting up) (\S+)/.exec(text);
      if (step) say(`  ${what} ${step[2].replace(/:\w+$/, '')}`);
    }
  };
  child.stdout.on('data', take);
  child.stderr.on('data', take);
  const status = await new Promise((resolve) => {
    child.on('error', () => resolve(-1));
    child.on('close', resolve);
  });
  if (status === 0) return true;
  if (mayFail) return false;
  const errors = said.filter((text) => /^(E|W|Err):?/.test(text)).slice(-4);
  throw new Trouble(
    `apt-get ${args[0]} failed (exit ${status}):\n  ${(errors.length > 0 ? errors : said.slice(-4)).join('\n  ')}\n` +
      'Without a network these packages must be installed by hand: ' +
      `${Object.keys(DEBIAN_PACKAGES).join(' ')}`,
  );
}

/** Runs a program in the foreground. Ctrl-C reaches it by itself (it is in our process group): it decides what that means. */
function inForeground(program, args) {
  const child = spawn(program, args, { cwd: root, stdio: 'inherit' });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'])
    process.on(signal, () => signal !== 'SIGINT' && child.kill(signal));
  return new Promise((resolve) => {
    child.on('error', (error) => {
      process.stderr.write(`cannot start ${program}: ${error.message}\n`);
      resolve(1);
    });
    child.on('close', (code, killedBy) => resolve(code ?? (killedBy ? 128 : 1)));
  });
}

/** All test files below `folder`, sorted. */
function testFiles(folder) {
  const files = [];
  const walk = (dir) => {
    let entries;
    try {
      entries = readdirSync(join(root, dir), { withFileTypes: true });
    } catch {
      return;
    }
    for (const entry of entries) {
      const path = `${dir}/${entry.name}`;
      if (entry.isDirectory() && entry.name !== 'node_modules') walk(path);
      else if (/\.test\.(ts|mjs)$/.test(entry.name)) files.push(path);
    }
  };
  walk(folder);
  return files.sort();
}

/** Runs test files, showing what node's test runner shows; resolves with its counts. */
function runTests(node, title, files, concurrency) {
  if (files.length === 0) return Promise.resolve({ passed: 0, failed: 0, skipped: 0 });
  say(`${title}: ${files.length} files`);
  const args = ['--test', '--test-reporter=spec', `--test-concurrency=${concurrency}`, ...files];
  const child = spawn(node, args, { cwd: root, stdio: ['ignore', 'pipe', 'inherit'] });
  for (const signal of ['SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill('SIGINT'));
  process.on('SIGINT', () => {});
  let tail = '';
  child.stdout.on('data', (chunk) => {
    process.stdout.write(chunk);
    tail = (tail + chunk).slice(-65536);
  });
  return new Promise((resolve) => {
    child.on('close', (code) => {
      // Colours are for people; the closing lines come before the list of failures.
      const counts = testCounts(stripVTControlCharacters(tail));
      if (code !== 0 && counts.failed === 0) counts.failed = 1;
      resolve(counts);
    });
  });
}

/**
 * A folder for the temporary files of one run of the tests. What an earlier run left that was killed goes now; ours goes when this process
 * ends, whatever single tests forget or cannot do.
 */
function useOwnTemporaryFolder() {
  const prefix = 'ballast-test-';
  for (const name of readdirSync(tmpdir())) {
    const pid = name.startsWith(prefix) ? name.slice(prefix.length) : '';
    if (/^[0-9]+$/.test(pid) && !existsSync(`/proc/${pid}`))
      rmSync(join(tmpdir(), name), { recursive: true, force: true });
  }
  const folder = join(tmpdir(), `${prefix}${process.pid}`);
  // Others may pass through, to what is theirs below: FRR runs as a user of its own.
  mkdirSync(folder, { mode: 0o711 });
  process.env.TMPDIR = folder;
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
}

async function test(node, filters) {
  useOwnTemporaryFolder();
  const matches = (file) => filters.length === 0 || filters.some((filter) => file.includes(filter));
  const quick = [...testFiles('packages'), ...testFiles('test/house')].filter(matches);
  const slow = testFiles('test').filter((file) => !file.startsWith('test/house/') && matches(file));
  const cores = typeof availableParallelism === 'function' ? availableParallelism() : cpus().length;
  const results = [
    await runTests(node, 'unit tests', quick, cores),
    // Each of these holds a lab of its own, and measures time: not beside each other.
    await runTests(node, 'end-to-end tests', slow, 1),
  ];
  const sum = (name) => results.reduce((total, counts) => total + counts[name], 0);
  const skipped = sum('skipped') > 0 ? `, ${sum('skipped')} skipped` : '';
  process.stdout.write(`\n${sum('passed')} passed, ${sum('failed')} failed${skipped}\n`);
  return sum('failed') === 0 && sum('passed') > 0 ? 0 : 1;
}

async function check(node) {
  const steps = [
    ['types', join(root, 'node_modules/.bin/tsc'), ['--noEmit']],
    ['lint', join(root, 'node_modules/.bin/biome'), ['check']],
    ['house rules', node, ['--test', ...testFiles('test/house')]],
  ];
  let failed = 0;
  for (const [title, program, args] of steps) {
    say(title);
    if ((await inForeground(program, args)) !== 0) failed++;
  }
  return failed === 0 ? 0 : 1;
}

/** Runs bench/NAME/run.ts; without a name, tells which there are. */
function bench(node, [name, ...args]) {
  const names = readdirSync(join(root, 'bench')).sort();
  if (!names.includes(name)) {
    throw new Trouble(`npm run bench -- NAME, where NAME is one of: ${names.join(', ')}.`);
  }
  return inForeground(node, [join(root, 'bench', name, 'run.ts'), ...args]);
}

async function main([task, ...rest]) {
  const node = ensureNpmPackages();
  // Tools started from here (tsc, biome) find the same Node.
  process.env.PATH = `${dirname(node)}:${process.env.PATH}:/usr/sbin:/sbin`;
  if (task === 'check') return check(node);
  requireRoot(task);
  await ensureDebianPackages(task === 'test' ? { ...DEBIAN_PACKAGES, ...TEST_PACKAGES } : DEBIAN_PACKAGES);
  if (task === 'test') return test(node, rest);
  if (task === 'bench') return bench(node, rest);
  if (task === 'start') return inForeground(node, [join(root, 'packages/cli/src/main.ts'), 'lab', 'demo', ...rest]);
  throw new Trouble(`there is no task "${task}"; there are start, test, check and bench.`);
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  try {
    process.exitCode = await main(process.argv.slice(2));
  } catch (error) {
    if (!(error instanceof Trouble)) throw error;
    process.stderr.write(`${error.message}\n`);
    process.exitCode = 1;
  }
}
