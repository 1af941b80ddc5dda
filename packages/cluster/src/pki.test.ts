import assert from 'node:assert/strict';
import { createPublicKey, X509Certificate } from 'node:crypto';
import { mkdtemp, rm, stat } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { connect, createServer, type TLSSocket } from 'node:tls';
import { SimulatedClock } from '@ballast/base';
import fc from 'fast-check';
import { Authority, fingerprintOf, isStillGood, issueInMemory, RENEW_BEFORE_MS } from './authority.ts';
import { integer, oid, smallInteger, time } from './der.ts';
import { formatJoinToken, parseJoinToken } from './join-token.ts';
import { generateKey } from './key-files.ts';

async function folder(): Promise<AsyncDisposable & { path: string }> {
  const path = await mkdtemp(join(tmpdir(), 'ballast-pki-'));
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true }) };
}

const now = () => new SimulatedClock(Date.now());

test('node:tls accepts our server and client certificates, and tells user and groups', async () => {
  await using dir = await folder();
  const clock = now();
  const serverCa = await Authority.open({ dir: dir.path, name: 'server-ca', clock });
  const clientCa = await Authority.open({ dir: dir.path, name: 'client-ca', clock });
  const serving = issueInMemory(
    serverCa,
    { commonName: 'api' },
    { kind: 'server', altNames: ['api.test', '127.0.0.1', '::1'] },
  );
  const admin = issueInMemory(
    clientCa,
    { commonName: 'me', organizations: ['system:masters', 'b'] },
    { kind: 'client' },
  );
  const server = createServer({ cert: serving.certPem, key: serving.keyPem, ca: clientCa.certPem, requestCert: true });
  const seen = Promise.withResolvers<TLSSocket>();
  server.on('secureConnection', seen.resolve);
  server.on('tlsClientError', seen.reject);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const client = connect({ host: '127.0.0.1', port, ca: serverCa.certPem, cert: admin.certPem, key: admin.keyPem });
  const socket = await seen.promise;
  assert.equal(socket.authorized, true);
  const peer = socket.getPeerCertificate();
  assert.equal(peer.subject.CN, 'me');
  assert.deepEqual(peer.subject.O, ['system:masters', 'b']);
  client.destroy();
  server.close();
});

test('a serving certificate is no identity for a client', async () => {
  await using dir = await folder();
  const authority = await Authority.open({ dir: dir.path, name: 'ca', clock: now() });
  const serving = issueInMemory(authority, { commonName: 'api' }, { kind: 'server', altNames: ['127.0.0.1'] });
  const server = createServer({
    cert: serving.certPem,
    key: serving.keyPem,
    ca: authority.certPem,
    requestCert: true,
    rejectUnauthorized: false,
  });
  const seen = Promise.withResolvers<TLSSocket>();
  server.on('secureConnection', seen.resolve);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const client = connect({
    host: '127.0.0.1',
    port,
    ca: authority.certPem,
    cert: serving.certPem,
    key: serving.keyPem,
  });
  assert.equal((await seen.promise).authorized, false);
  client.destroy();
  server.close();
});

test('secrets are written with mode 0600 and survive a second start unchanged', async () => {
  await using dir = await folder();
  const clock = now();
  const first = await Authority.open({ dir: dir.path, name: 'ca', clock });
  const options = {
    dir: dir.path,
    name: 'leaf',
    subject: { commonName: 'x' },
    use: { kind: 'server', altNames: ['a.test'] },
  } as const;
  const pair = await first.ensurePair(options);
  const again = await Authority.open({ dir: dir.path, name: 'ca', clock });
  assert.equal(again.certPem, first.certPem);
  assert.deepEqual(await again.ensurePair(options), pair);
  for (const file of ['ca.key', 'ca.crt', 'leaf.key']) {
    assert.equal((await stat(join(dir.path, file))).mode & 0o777, 0o600, file);
  }
});

test('a certificate is renewed when little time is left, or when a name is missing; its key stays', async () => {
  await using dir = await folder();
  const clock = now();
  const authority = await Authority.open({ dir: dir.path, name: 'ca', clock });
  const options = {
    dir: dir.path,
    name: 'leaf',
    subject: { commonName: 'x' },
    use: { kind: 'server', altNames: ['a.test'] },
  } as const;
  const pair = await authority.ensurePair(options);
  const more = await authority.ensurePair({ ...options, use: { kind: 'server', altNames: ['a.test', '192.0.2.1'] } });
  assert.notEqual(more.certPem, pair.certPem);
  assert.equal(more.keyPem, pair.keyPem);
  await clock.advance(365 * 86_400_000 - RENEW_BEFORE_MS + 1);
  assert.notEqual((await authority.ensurePair(options)).certPem, more.certPem);
});

test('a certificate of another authority does not count', async () => {
  await using dir = await folder();
  const clock = now();
  const a = await Authority.open({ dir: dir.path, name: 'a', clock });
  const b = await Authority.open({ dir: dir.path, name: 'b', clock });
  const key = generateKey();
  const certPem = a.issue({ subject: { commonName: 'x' }, publicKey: createPublicKey(key), use: { kind: 'client' } });
  assert.equal(isStillGood(certPem, { authorityPem: a.certPem, key, nowMs: clock.nowMs() }), true);
  assert.equal(isStillGood(certPem, { authorityPem: b.certPem, key, nowMs: clock.nowMs() }), false);
  assert.equal(isStillGood('nonsense', { authorityPem: b.certPem, key, nowMs: clock.nowMs() }), false);
});

test('an authority outlives 2049, where the form of time changes', async () => {
  await using dir = await folder();
  const clock = new SimulatedClock(Date.UTC(2049, 0, 1));
  const authority = await Authority.open({ dir: dir.path, name: 'ca', clock });
  assert.equal(new X509Certificate(authority.certPem).validToDate.getUTCFullYear(), 2058);
});

test('X.690: lengths, integers and object identifiers in their known forms', () => {
  assert.equal(oid('1.2.840.10045.4.3.2').toString('hex'), '06082a8648ce3d040302');
  assert.equal(integer(Buffer.from([0, 0, 0x80])).toString('hex'), '02020080');
  assert.equal(smallInteger(2).toString('hex'), '020102');
  assert.equal(smallInteger(256).toString('hex'), '02020100');
  assert.equal(
    time(Date.UTC(2026, 0, 2, 3, 4, 5))
      .toString('latin1')
      .slice(2),
    '260102030405Z',
  );
  assert.equal(
    time(Date.UTC(2050, 0, 2, 3, 4, 5))
      .toString('latin1')
      .slice(2),
    '20500102030405Z',
  );
});

test('a join token round-trips', () => {
  const secret = fc.stringMatching(/^[!-~]{1,40}$/);
  fc.assert(
    fc.property(fc.string({ minLength: 0 }), secret, (seed, text) => {
      const token = { authorityFingerprint: fingerprintOf(seed), user: 'server', secret: text };
      assert.deepEqual(parseJoinToken(formatJoinToken(token)), token);
    }),
  );
});

test('what is no join token says so, whatever it is', () => {
  fc.assert(
    fc.property(fc.string(), (text) => {
      try {
        parseJoinToken(text);
      } catch (error) {
        assert.match(String(error), /not a join token/);
      }
    }),
  );
  assert.throws(() => parseJoinToken('secret'), /bare secret/);
});
