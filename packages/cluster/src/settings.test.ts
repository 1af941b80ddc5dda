import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import { agentKeys, agentSettings, readKeys, serverKeys, serverSettings } from './settings.ts';

async function read(text: string, flags: Record<string, unknown> = {}) {
  const dir = await mkdtemp(join(tmpdir(), 'ballast-settings-'));
  const path = join(dir, 'config.yaml');
  await writeFile(path, text);
  try {
    return await readKeys({ schema: serverKeys, path, flags });
  } catch (error) {
    throw new Error(String(error instanceof Error ? error.message : error).replaceAll(dir, ''));
  } finally {
    await rm(dir, { recursive: true });
  }
}

test('an empty file gives a server with the documented defaults', async () => {
  const settings = serverSettings(await read(''));
  assert.equal(settings.dataDir, '/var/lib/ballast');
  assert.equal(settings.apiPort, 6443);
  assert.deepEqual(settings.cluster, {
    clusterCidr: '10.42.0.0/16',
    nodeCidrPrefixLength: 24,
    serviceCidr: '10.43.0.0/16',
    nodePortRange: [30000, 32767],
    clusterDns: '10.43.0.10',
    clusterDomain: 'cluster.local',
  });
});

test('a flag beats the file, and a list given as a flag replaces the list of the file', async () => {
  const keys = await read('node-name: a\nnode-label: [x=1, y=2]\n', { 'node-name': 'b', 'node-label': ['z=3'] });
  const settings = serverSettings(keys);
  assert.equal(settings.nodeName, 'b');
  assert.deepEqual(settings.labels, { z: '3' });
});

test('every problem of file and flags is reported at once, with its line', async () => {
  const text = 'node-name: Bad_Name\nserver: x\nnode-ip: 1.2.3\nnode-taint:\n  - a=b\n';
  await assert.rejects(read(text, { 'https-listen-port': 70000 }), (error: Error) => {
    assert.deepEqual(error.message.split('\n').sort(), [
      '--https-listen-port: Too big: expected number to be <=65535',
      '/config.yaml:1: node-name: expected a lower-case DNS name of at most 63 characters',
      '/config.yaml:2: server: Unrecognized key: "server"',
      '/config.yaml:3: node-ip: expected an IPv4 address',
      '/config.yaml:5: node-taint.0: expected key=value:effect',
    ]);
    return true;
  });
});

test('networks that contradict each other are refused', () => {
  assert.throws(
    () => serverSettings({ 'cluster-dns': '10.1.0.1' }),
    /cluster-dns: 10\.1\.0\.1 lies outside service-cidr/,
  );
  assert.throws(() => serverSettings({ 'service-cidr': '10.42.128.0/17' }), /overlap/);
  assert.throws(() => serverSettings({ 'cluster-cidr': '10.44.0.0/25' }), /too small/);
});

test('an agent without server and token is told both', async () => {
  await assert.rejects(agentSettings(agentKeys.parse({})), /server: is missing.*\n.*token: is missing/);
  await assert.rejects(
    agentSettings(agentKeys.parse({ server: 'https://s:9345', 'token-file': '/nowhere/token' })),
    /token-file: \/nowhere\/token cannot be read \(ENOENT\)$/,
  );
});

test('a configuration file that was named must exist', async () => {
  await assert.rejects(
    readKeys({ schema: serverKeys, path: '/nonexistent/x.yaml', flags: {} }),
    /x\.yaml: cannot be read \(ENOENT\)/,
  );
});

test('no text makes the reader fail in another way than by saying what is wrong', async () => {
  await fc.assert(
    fc.asyncProperty(fc.string(), async (text) => {
      await read(text).catch((error: Error) => assert.match(error.message, /config\.yaml/));
    }),
    { numRuns: 60 },
  );
});
