import assert from 'node:assert/strict';
import { createServer } from 'node:net';
import { test } from 'node:test';
import { silentLogger } from '@ballast/base';
import { answerHealthCheck, HealthCheckServers } from './health-check-server.ts';

const check = { namespace: 'default', name: 'web', port: 0, localEndpoints: 2 };

test("health check: status, weight and body are kube-proxy's", () => {
  const answer = answerHealthCheck(check, true);
  assert.equal(answer.status, 200);
  assert.equal(answer.headers['X-Load-Balancing-Endpoint-Weight'], '2');
  assert.deepEqual(JSON.parse(answer.body), {
    service: { namespace: 'default', name: 'web' },
    localEndpoints: 2,
    serviceProxyHealthy: true,
  });
  assert.equal(answerHealthCheck({ ...check, localEndpoints: 0 }, true).status, 503);
  assert.equal(answerHealthCheck(check, false).status, 503);
});

/** A port that nobody listens on just now. */
function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address ? address.port : 0));
    });
  });
}

test('health check: ports open, follow the count of endpoints, and close', async () => {
  const port = await freePort();
  await using servers = new HealthCheckServers({ logger: silentLogger, isProxyHealthy: () => true });
  const ask = () => fetch(`http://127.0.0.1:${port}/any/path`).then((response) => response.status);
  servers.update([{ ...check, port }]);
  assert.equal(await ask(), 200);
  servers.update([{ ...check, port, localEndpoints: 0 }]);
  assert.equal(await ask(), 503);
  servers.update([]);
  await assert.rejects(ask());
});

test('health check: a port that is taken is reported and tried again', async () => {
  const port = await freePort();
  const blocker = createServer().listen(port);
  await new Promise((resolve) => blocker.once('listening', resolve));
  const { promise: failed, resolve: onFailure } = Promise.withResolvers<void>();
  await using servers = new HealthCheckServers({
    logger: silentLogger,
    isProxyHealthy: () => true,
    onFailure: () => onFailure(),
  });
  servers.update([{ ...check, port }]);
  await failed;
  await new Promise((resolve) => blocker.close(resolve));
  servers.update([{ ...check, port }]);
  assert.equal((await fetch(`http://127.0.0.1:${port}/`)).status, 200);
});
