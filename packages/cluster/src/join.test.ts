import assert from 'node:assert/strict';
import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { hasCode, silentLogger, systemClock } from '@ballast/base';
import { fingerprintOf } from './authority.ts';
import { type JoinOptions, joinCluster } from './join-client.ts';
import { type JoinServer, startJoinServer } from './join-server.ts';
import { formatJoinToken } from './join-token.ts';
import { layoutOf } from './layout.ts';
import { NodePasswords } from './node-passwords.ts';
import { apiServerAltNames, type ClusterPki, openClusterPki } from './server-pki.ts';

const CLUSTER = {
  clusterCidr: '10.42.0.0/16',
  nodeCidrPrefixLength: 24,
  serviceCidr: '10.43.0.0/16',
  nodePortRange: [30000, 32767] as [number, number],
  clusterDns: '10.43.0.10',
  clusterDomain: 'cluster.local',
};

interface Site extends AsyncDisposable {
  /** Removed with the site. */
  readonly dir: string;
  readonly pki: ClusterPki;
  readonly server: JoinServer;
  options(machine: string): JoinOptions;
}

async function site(): Promise<Site> {
  const dir = await mkdtemp(join(tmpdir(), 'ballast-join-'));
  const pki = await openClusterPki({ tlsDir: join(dir, 'tls'), tokenPath: join(dir, 'token'), clock: systemClock });
  const altNames = apiServerAltNames({ clusterDomain: 'cluster.local', serviceAddress: '10.43.0.1', addresses: [] });
  const server = await startJoinServer({
    listen: { host: '127.0.0.1', port: 0 },
    serving: await pki.serverAuthority.ensurePair({
      dir: join(dir, 'tls'),
      name: 'apiserver',
      subject: { commonName: 'kube-apiserver' },
      use: { kind: 'server', altNames },
    }),
    pki,
    passwords: new NodePasswords(join(dir, 'passwords.json')),
    api: { host: '192.0.2.11', port: 6443 },
    cluster: CLUSTER,
    logger: silentLogger,
  });
  return {
    dir,
    pki,
    server,
    options: (machine) => ({
      server: `https://127.0.0.1:${server.port}`,
      token: pki.token,
      nodeName: 'agent-1',
      nodeIp: '192.0.2.12',
      layout: layoutOf({ dataDir: join(dir, machine), runDir: join(dir, machine, 'run') }),
      clock: systemClock,
      logger: silentLogger,
    }),
    async [Symbol.asyncDispose]() {
      await server[Symbol.asyncDispose]();
      await rm(dir, { recursive: true });
    },
  };
}

test('a machine joins, learns the cluster, and may join again', async () => {
  await using here = await site();
  const options = here.options('a');
  const answer = await joinCluster(options);
  assert.deepEqual(answer.cluster, CLUSTER);
  assert.deepEqual(answer.api, { host: '192.0.2.11', port: 6443 });
  assert.equal((await stat(join(options.layout.agentTls, 'node.key'))).mode & 0o777, 0o600);
  await joinCluster(options);
});

test('a machine that joined before starts while the server is away', async () => {
  await using here = await site();
  const options = here.options('a');
  const first = await joinCluster(options);
  await here.server[Symbol.asyncDispose]();
  const again = await joinCluster(options);
  assert.deepEqual(again.certificates, first.certificates);
});

test('another machine cannot take the name of one that joined', async () => {
  await using here = await site();
  await joinCluster(here.options('a'));
  await assert.rejects(
    joinCluster(here.options('b')),
    (error) => hasCode(error, 'join-refused') && /node-name/.test(error.message),
  );
});

test('a wrong secret is refused', async () => {
  await using here = await site();
  const token = formatJoinToken({
    authorityFingerprint: fingerprintOf(here.pki.serverAuthority.certPem),
    user: 'server',
    secret: 'guess',
  });
  await assert.rejects(joinCluster({ ...here.options('a'), token }), (error) => hasCode(error, 'join-refused'));
});

test('a server that the token does not pin is told no secret', async () => {
  await using here = await site();
  const token = formatJoinToken({ authorityFingerprint: 'ab'.repeat(32), user: 'server', secret: here.pki.secret });
  await assert.rejects(joinCluster({ ...here.options('a'), token }), (error) => hasCode(error, 'join-wrong-cluster'));
});

test('a busy port is named', async () => {
  await using here = await site();
  const again = startJoinServer({
    listen: { host: '127.0.0.1', port: here.server.port },
    serving: await here.pki.serverAuthority.ensurePair({
      dir: here.dir,
      name: 'x',
      subject: { commonName: 'x' },
      use: { kind: 'server', altNames: ['x.test'] },
    }),
    pki: here.pki,
    passwords: new NodePasswords('/nonexistent'),
    api: { host: '', port: 1 },
    cluster: CLUSTER,
    logger: silentLogger,
  });
  await assert.rejects(
    again,
    (error) => hasCode(error, 'port-busy') && error.message.includes(String(here.server.port)),
  );
});

test('no machine gets a serving certificate for the names and addresses of the server', async () => {
  await using here = await site();
  for (const claim of [{ nodeIp: '10.43.0.1' }, { nodeName: 'kubernetes' }, { nodeName: 'localhost' }]) {
    await assert.rejects(joinCluster({ ...here.options('a'), ...claim }), /is the server itself/);
  }
});
