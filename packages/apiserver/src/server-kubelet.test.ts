import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { after, before, test } from 'node:test';
import { connect, type TLSSocket } from 'node:tls';
import { pem, startTestServer, type TestServer } from './testdata/test-server.ts';

// A node agent that says what it was asked, and echoes whatever is streamed to it.
let api: TestServer;
let agent: Server;
const NS = '/api/v1/namespaces/default';

before(async () => {
  const [ca, cert, key] = await Promise.all([pem('ca.crt'), pem('server.crt'), pem('server.key')]);
  agent = createServer({ ca, cert, key, requestCert: true, rejectUnauthorized: true }, (request, response) => {
    response.setHeader('x-agent', 'yes');
    if (request.url?.includes('tailLines=7')) {
      response.writeHead(400, { 'content-type': 'text/plain' }).end('container "main" is waiting to start\n');
      return;
    }
    response.end(`${request.method} ${request.url}`);
  });
  agent.on('upgrade', (request, socket) => {
    socket.write(
      `HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: ${request.headers.upgrade}\r\n\r\n`,
    );
    socket.write(`${request.url}\n`);
    socket.on('error', () => {});
    socket.pipe(socket);
  });
  agent.listen(0, '127.0.0.1');
  await once(agent, 'listening');
  api = await startTestServer();
  const { port } = agent.address() as AddressInfo;
  await api.call('POST', '/api/v1/nodes', {
    body: {
      metadata: { name: 'n1' },
      status: {
        addresses: [{ type: 'InternalIP', address: '127.0.0.1' }],
        daemonEndpoints: { kubeletEndpoint: { Port: port } },
      },
    },
  });
  await api.call('POST', `${NS}/serviceaccounts`, { body: { metadata: { name: 'default' } } });
  const containers = [
    { name: 'main', image: 'i' },
    { name: 'side', image: 'i' },
  ];
  await api.call('POST', `${NS}/pods`, { body: { metadata: { name: 'two' }, spec: { nodeName: 'n1', containers } } });
  await api.call('POST', `${NS}/pods`, {
    body: { metadata: { name: 'one' }, spec: { nodeName: 'n1', containers: containers.slice(0, 1) } },
  });
  await api.call('POST', `${NS}/pods`, { body: { metadata: { name: 'nowhere' }, spec: { containers } } });
});
after(async () => {
  await api[Symbol.asyncDispose]();
  agent.close();
});

test('logs come from the agent of the node, of the container that is meant', async () => {
  const { code, text } = await api.call('GET', `${NS}/pods/one/log?follow=true&tailLines=5`);
  assert.deepEqual([code, text], [200, 'GET /containerLogs/default/one/main?follow=true&tailLines=5']);
  const unclear = await api.call('GET', `${NS}/pods/two/log`);
  assert.deepEqual(
    [unclear.code, unclear.at('message')],
    [400, 'a container name must be specified for pod two, choose one of: [main side]'],
  );
  assert.equal(
    (await api.call('GET', `${NS}/pods/two/log?container=side`)).text,
    'GET /containerLogs/default/two/side?',
  );
  assert.equal((await api.call('GET', `${NS}/pods/nowhere/log`)).code, 400);
});

test('what the agent says against a log arrives as a Status, which is all that kubectl reads', async () => {
  const { code, at } = await api.call('GET', `${NS}/pods/one/log?tailLines=7`);
  assert.deepEqual(
    [code, at('kind'), at('reason'), at('message')],
    [400, 'Status', 'BadRequest', 'container "main" is waiting to start'],
  );
});

test('nodes/proxy reaches the agent itself', async () => {
  const { text, headers } = await api.call('GET', '/api/v1/nodes/n1/proxy/metrics?a=b');
  assert.deepEqual([text, headers['x-agent']], ['GET /metrics?a=b', 'yes']);
});

/** Opens a raw connection, asks for an upgrade and returns it with the head of the answer. */
async function upgrade(path: string, user = 'admin'): Promise<{ socket: TLSSocket; head: string; rest: string }> {
  const [ca, cert, key] = await Promise.all([pem('ca.crt'), pem(`${user}.crt`), pem(`${user}.key`)]);
  const socket = connect({
    host: '127.0.0.1',
    port: api.server.address.port,
    ca,
    cert,
    key,
    ALPNProtocols: ['http/1.1'],
  });
  await once(socket, 'secureConnect');
  socket.write(`POST ${path} HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: SPDY/3.1\r\n\r\n`);
  let text = '';
  while (!text.includes('\r\n\r\n') || (text.startsWith('HTTP/1.1 101') && !text.endsWith('\n'))) {
    const [chunk] = await once(socket, 'data');
    text += String(chunk);
    if (text.endsWith('}')) break;
  }
  const [head = '', rest = ''] = text.split('\r\n\r\n');
  return { socket, head, rest };
}

test('exec, attach and portforward are upgraded and bytes pass both ways', async () => {
  const { socket, head, rest } = await upgrade(
    `${NS}/pods/two/exec?container=side&command=ls&command=-l&stdin=true&stdout=true&tty=false`,
  );
  assert.match(head, /^HTTP\/1\.1 101 .*\r\nUpgrade: SPDY\/3\.1$/s);
  const echoed = rest === '' ? String((await once(socket, 'data'))[0]) : rest;
  assert.equal(echoed, '/exec/default/two/side?command=ls&command=-l&input=1&output=1\n');
  socket.write('ping');
  assert.equal(String((await once(socket, 'data'))[0]), 'ping');
  socket.destroy();
});

test('an upgrade without the right, or to what does not exist, is answered with a Status', async () => {
  const forbidden = await upgrade(`${NS}/pods/one/exec?command=ls`, 'developer');
  assert.match(forbidden.head, /^HTTP\/1\.1 403/);
  assert.match(forbidden.rest, /cannot create resource \\"pods\/exec\\"/);
  const missing = await upgrade(`${NS}/pods/none/exec?command=ls`);
  assert.match(missing.head, /^HTTP\/1\.1 404/);
  for (const { socket } of [forbidden, missing]) socket.destroy();
  assert.equal((await api.call('POST', `${NS}/pods/one/exec?command=ls`)).code, 400);
});
