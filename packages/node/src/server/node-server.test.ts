import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readdir, readlink, rm, writeFile } from 'node:fs/promises';
import { request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { connect } from 'node:tls';
import { MetricsRegistry, type Running, silentLogger, systemClock } from '@ballast/base';
import type { CriClient } from '../cri/client.ts';
import type { PodSet } from '../pod-set.ts';
import type { RuntimeReader } from '../runtime-reader.ts';
import { makeCertificates } from '../testbed/machine.ts';
import { startNodeServer } from './node-server.ts';

const POD = { metadata: { name: 'p', namespace: 'ns', uid: 'u' }, spec: { containers: [{ name: 'main' }] } };

describe('node API', () => {
  let dir = '';
  let pem = (name: string) => name;
  let server: Running & { readonly port: number };
  before(async () => {
    dir = await mkdtemp(join(tmpdir(), 'ballast-node-api-'));
    pem = makeCertificates(join(dir, 'tls'));
    const run = { id: 'c', name: 'main', attempt: 0, state: 'running' };
    server = await startNodeServer({
      cri: {} as CriClient,
      nodeName: 'node-1',
      listen: { host: '127.0.0.1', port: 0 },
      tls: { certPem: pem('server.crt'), keyPem: pem('server.key'), clientCaPem: pem('ca.crt') },
      podSet: { get: () => ({ uid: 'u', pod: POD }), list: () => [] } as unknown as PodSet,
      runtime: { podView: async () => ({ sandboxes: [], containers: [run] }) } as unknown as RuntimeReader,
      logDir: join(dir, 'logs'),
      metrics: new MetricsRegistry(),
      logger: silentLogger,
      clock: systemClock,
    });
  });
  after(async () => {
    await server[Symbol.asyncDispose]();
    await rm(dir, { recursive: true });
  });

  const ask = (path: string, client: 'client' | 'stranger' | 'nobody') => {
    const identity = client === 'nobody' ? {} : { cert: pem(`${client}.crt`), key: pem(`${client}.key`) };
    const options = { host: '127.0.0.1', port: server.port, path, ca: pem('ca.crt'), agent: false, ...identity };
    return request({ ...options, checkServerIdentity: () => undefined });
  };
  const statusOf = (path: string, client: 'client' | 'stranger' | 'nobody') =>
    new Promise<number>((resolve, reject) => {
      const sent = ask(path, client);
      sent.once('response', (response) => {
        response.resume();
        resolve(response.statusCode ?? 0);
      });
      sent.once('error', reject).end();
    });

  test('only administrators and the API server may use it; health is for everybody', async () => {
    assert.equal(await statusOf('/healthz', 'nobody'), 200);
    assert.equal(await statusOf('/pods', 'nobody'), 401);
    assert.equal(await statusOf('/pods', 'stranger'), 403);
    assert.equal(await statusOf('/pods', 'client'), 200);
  });

  test('a malformed target from anybody is refused, and nothing else happens', async () => {
    for (const target of ['/%zz', '//', '/a/%c3', 'http://[', '/exec/%zz']) {
      const answer = await new Promise<string>((resolve, reject) => {
        const socket = connect({ host: '127.0.0.1', port: server.port, rejectUnauthorized: false });
        socket.once('error', reject).once('data', (bytes) => resolve(bytes.toString('latin1')) ?? socket.destroy());
        socket.write(`GET ${target} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`);
      });
      assert.match(answer, /^HTTP\/1.1 4\d\d /, target);
    }
    assert.equal(await statusOf('/healthz', 'nobody'), 200);
  });

  test('a reader of a long log that goes away in the middle leaves no open file', async () => {
    const folder = join(dir, 'logs/ns_p_u/main');
    await mkdir(folder, { recursive: true });
    const line = `2026-01-01T00:00:00Z stdout F ${'x'.repeat(1000)}\n`;
    await writeFile(join(folder, '0.log'), line.repeat(30_000));
    const openLogs = async () => {
      const targets = (await readdir('/proc/self/fd')).map((fd) => readlink(`/proc/self/fd/${fd}`).catch(() => ''));
      return (await Promise.all(targets)).filter((target) => target.startsWith(folder)).length;
    };
    const sent = ask('/containerLogs/ns/p/main', 'client');
    sent.on('error', () => {});
    await new Promise<void>((resolve) => {
      sent.once('response', (response) => response.once('readable', resolve)).end();
    });
    assert.equal(await openLogs(), 1);
    sent.destroy();
    for (let round = 0; round < 200 && (await openLogs()) > 0; round += 1) await systemClock.sleep(10);
    assert.equal(await openLogs(), 0);
  });
});
