import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { BallastError, silentLogger, systemClock } from '@ballast/base';
import { run } from '@ballast/linux';
import { composeMessage, parseMessage } from '../wire/codec.ts';
import { makeQuery } from '../wire/message.ts';
import { TYPE } from '../wire/registry.ts';
import { type DnsServer, startDnsServer } from './dns-server.ts';

function start(text: string): Promise<DnsServer> {
  return startDnsServer({ corefile: { text }, listenHost: '127.0.0.1', logger: silentLogger, clock: systemClock });
}

const portOf = (server: DnsServer): number => server.addresses[0]?.port ?? 0;

/** What dig prints, asked without retries. */
function dig(server: DnsServer, ...args: string[]): Promise<string> {
  return run('dig', ['@127.0.0.1', '-p', String(portOf(server)), '+tries=1', '+time=2', ...args]);
}

describe('DNS server over loopback', () => {
  it('answers dig over UDP and TCP, with the spelling of the question', async () => {
    await using server = await start(`.:0 {
      hosts /dev/null example.org {
        192.0.2.1 www.example.org
        2001:db8::1 www.example.org
      }
    }`);
    for (const protocol of ['+notcp', '+tcp']) {
      const answer = await dig(server, protocol, 'wWw.example.org', 'A');
      assert.match(answer, /status: NOERROR/);
      assert.match(answer, /flags: qr aa rd;/);
      assert.match(answer, /wWw\.example\.org\.\s+3600\s+IN\s+A\s+192\.0\.2\.1/);
    }
    assert.match(await dig(server, '+short', 'www.example.org', 'AAAA'), /^2001:db8::1$/m);
    assert.match(await dig(server, '-x', '192.0.2.1'), /status: REFUSED/);
  });

  it('refuses what no block serves, other classes, other opcodes and other EDNS versions', async () => {
    await using server = await start('example.org:0 {\n whoami\n}');
    assert.match(await dig(server, 'example.net'), /status: REFUSED/);
    assert.match(await dig(server, 'www.example.org', 'CH', 'TXT'), /status: REFUSED/);
    assert.match(await dig(server, '+opcode=NOTIFY', 'www.example.org'), /status: NOTIMP/);
    assert.match(await dig(server, '+edns=1', '+noednsneg', 'www.example.org'), /status: BADVERS/);
    assert.match(await dig(server, 'www.example.org'), /_udp\.www\.example\.org\.\s+0\s+IN\s+SRV/);
  });

  it('the longest zone wins, whatever the order of the blocks', async () => {
    await using server = await start(`
      org:0 {
        hosts /dev/null {
          192.0.2.1 a.org
          192.0.2.1 a.example.org
        }
      }
      example.org:0 {
        hosts /dev/null {
          192.0.2.2 a.example.org
        }
      }`);
    // Port 0 is one listener for both blocks.
    assert.equal((await dig(server, '+short', 'a.org')).trim(), '192.0.2.1');
    assert.equal((await dig(server, '+short', 'a.example.org')).trim(), '192.0.2.2');
  });

  it('cuts large answers over UDP and gives them whole over TCP', async () => {
    const lines = Array.from({ length: 60 }, (_, i) => `192.0.2.${i} many.example.org`).join('\n');
    await using server = await start(`.:0 {\n hosts /dev/null {\n ${lines}\n }\n}`);
    const count = (text: string) => text.match(/IN\s+A\s+192/g)?.length ?? 0;
    const cut = await dig(server, '+noedns', '+ignore', 'many.example.org');
    assert.match(cut, /flags: qr aa tc/);
    assert.ok(count(cut) < 60);
    assert.equal(count(await dig(server, '+noedns', 'many.example.org')), 60, 'dig asks again over TCP');
    assert.equal(count(await dig(server, '+bufsize=4096', '+ignore', 'many.example.org')), 60);
  });

  it('RFC 7766 6.2.1: queries of one TCP connection are answered without waiting, also after the client has finished', async () => {
    await using server = await start('.:0 {\n whoami\n}');
    const socket = connect({ host: '127.0.0.1', port: portOf(server), allowHalfOpen: true });
    const frames = [1, 2, 3].map((id) => {
      const bytes = composeMessage(makeQuery({ name: 'x.', type: TYPE.A }, { id }));
      return Buffer.concat([Buffer.from([bytes.length >> 8, bytes.length & 255]), bytes]);
    });
    socket.end(Buffer.concat(frames));
    const received = Buffer.concat(await socket.toArray());
    const ids: number[] = [];
    for (let at = 0; at < received.length; ) {
      const length = received.readUInt16BE(at);
      ids.push(parseMessage(received.subarray(at + 2, at + 2 + length)).id);
      at += 2 + length;
    }
    assert.deepEqual(ids.toSorted(), [1, 2, 3]);
  });

  it('takes over a changed Corefile, and keeps the old one when the new one is bad', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'ballast-dns-'));
    const path = join(folder, 'Corefile');
    const corefile = (address: string, extra = '') =>
      `.:0 {\n reload 2s 0\n hosts /dev/null {\n ${address} a.test\n }\n ${extra}\n}`;
    await writeFile(path, corefile('192.0.2.1'));
    await using server = await startDnsServer({
      corefile: { path },
      listenHost: '127.0.0.1',
      logger: silentLogger,
      clock: systemClock,
    });
    const before = portOf(server);
    await writeFile(path, corefile('192.0.2.2', 'hots'));
    assert.equal(await server.reload(), 'failed');
    assert.equal((await dig(server, '+short', 'a.test')).trim(), '192.0.2.1');
    await writeFile(path, corefile('192.0.2.2'));
    assert.equal(await server.reload(), 'changed');
    assert.equal(await server.reload(), 'unchanged');
    assert.equal((await dig(server, '+short', 'a.test')).trim(), '192.0.2.2');
    assert.equal(portOf(server), before, 'the sockets stay open');
    await rm(folder, { recursive: true });
  });

  it('says that the port is taken', async () => {
    await using server = await start('.:0 {\n whoami\n}');
    const port = portOf(server);
    await assert.rejects(
      start(`.:${port} {\n whoami\n}`),
      (error) =>
        error instanceof BallastError &&
        error.code === 'address-in-use' &&
        error.message.startsWith(`cannot listen on udp 127.0.0.1:${port}: another program does`),
    );
  });
});
