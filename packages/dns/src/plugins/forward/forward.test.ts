import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { systemClock } from '@ballast/base';
import type { Protocol } from '../../chain/query.ts';
import { type ServedCorefile, serveCorefile } from '../../server/served-corefile.ts';
import { openTcp } from '../../transport/tcp.ts';
import type { ListenAt, Responder } from '../../transport/transport.ts';
import { openUdp } from '../../transport/udp.ts';
import { composeMessage, parseMessage } from '../../wire/codec.ts';
import { type Message, makeRecord, makeReply } from '../../wire/message.ts';
import { RCODE } from '../../wire/registry.ts';
import { forwardTarget, parseResolvConf } from './upstream-address.ts';

interface FakeUpstream extends AsyncDisposable {
  readonly port: number;
  readonly seen: { readonly message: Message; readonly protocol: Protocol }[];
  answer: (message: Message, protocol: Protocol) => Partial<Message> | undefined;
}

/** An upstream on loopback whose answers the test chooses. */
async function upstream(address = '192.0.2.1'): Promise<FakeUpstream> {
  const seen: FakeUpstream['seen'] = [];
  const respond: Responder = async (bytes, _peer, protocol) => {
    const message = parseMessage(bytes);
    seen.push({ message, protocol });
    const fields = fake.answer(message, protocol);
    return fields && { bytes: composeMessage(makeReply(message, fields)) };
  };
  const at: ListenAt = { host: '127.0.0.1', port: 0 };
  const udp = await openUdp({ at, respond });
  const tcp = await openTcp({ at: { ...at, port: udp.address.port }, respond });
  const fake: FakeUpstream = {
    port: udp.address.port,
    seen,
    answer: ({ questions: [question] }) => ({
      recursionAvailable: true,
      answers: question ? [makeRecord('A', { name: question.name, ttl: 60 }, { address })] : [],
    }),
    async [Symbol.asyncDispose]() {
      await udp.close();
      await tcp.close();
    },
  };
  return fake;
}

const serve = (directives: string): Promise<ServedCorefile> =>
  serveCorefile(`.:53 {\n${directives}\n}`, { clock: systemClock });

const to = (fake: FakeUpstream) => `127.0.0.1:${fake.port}`;

/** A port on which nobody listens. */
async function closedPort(): Promise<number> {
  const fake = await upstream();
  await fake[Symbol.asyncDispose]();
  return fake.port;
}

describe('forward', () => {
  it('passes the question on under an id of its own, and the answer back under that of the client', async () => {
    await using fake = await upstream();
    await using served = await serve(`forward . ${to(fake)}`);
    assert.equal(await served.ask('WWW.example.org.'), 'NOERROR\nWWW.example.org. 60 IN A 192.0.2.1');
    const ids = new Set<number>();
    for (let i = 0; i < 20; i++) await served.ask(`n${i}.example.org.`, 'A', { message: { id: 1 } });
    for (const { message } of fake.seen) ids.add(message.id);
    assert.ok(ids.size > 15, 'ids are random');
    assert.equal(fake.seen[0]?.message.recursionDesired, true);
  });

  it('sends neither cookies nor more UDP size than it takes', async () => {
    await using fake = await upstream();
    await using served = await serve(`forward . ${to(fake)}`);
    const options = [
      { code: 10, octets: new Uint8Array(8) },
      { code: 3, octets: new Uint8Array() },
    ];
    await served.ask('a.', 'A', { message: { edns: { udpSize: 4096, version: 0, dnssecOk: true, options } } });
    assert.deepEqual(fake.seen[0]?.message.edns, {
      udpSize: 1232,
      version: 0,
      dnssecOk: true,
      options: options.slice(1),
    });
  });

  it('many queries share sockets without mixing up their answers', async () => {
    await using fake = await upstream();
    fake.answer = ({ questions: [question] }) => ({
      answers: [makeRecord('TXT', { name: question?.name ?? '.', ttl: 1 }, { texts: [question?.name ?? ''] })],
    });
    await using served = await serve(`forward . ${to(fake)}`);
    const names = Array.from({ length: 300 }, (_, i) => `n${i}.example.org.`);
    const answers = await Promise.all(names.map((name) => served.ask(name, 'TXT')));
    assert.deepEqual(
      answers,
      names.map((name) => `NOERROR\n${name} 1 IN TXT "${name}"`),
    );
  });

  it('tries the next upstream when one does not answer', async () => {
    await using fake = await upstream();
    await using served = await serve(`forward . 127.0.0.1:${await closedPort()} ${to(fake)} {\n policy sequential\n }`);
    assert.match(await served.ask('a.'), /192\.0\.2\.1/);
  });

  it('says SERVFAIL when nobody answers, and when resolv.conf is not there', async () => {
    await using dead = await serve(`forward . 127.0.0.1:${await closedPort()} {\n max_connect_attempts 2\n }`);
    assert.equal(await dead.ask('a.'), 'SERVFAIL');
    await using none = await serve('forward . /nonexistent/resolv.conf');
    assert.equal(await none.ask('a.'), 'SERVFAIL');
  });

  it('prefer_udp asks again over TCP when an answer is truncated; without it TC goes to the client', async () => {
    await using fake = await upstream();
    const whole = fake.answer;
    fake.answer = (message, protocol) => (protocol === 'udp' ? { truncated: true } : whole(message, protocol));
    await using plain = await serve(`forward . ${to(fake)}`);
    assert.equal(await plain.ask('a.'), 'NOERROR');
    await using prefer = await serve(`forward . ${to(fake)} {\n prefer_udp\n }`);
    assert.match(await prefer.ask('a.'), /192\.0\.2\.1/);
    await using tcp = await serve(`forward . ${to(fake)} {\n force_tcp\n }`);
    assert.match(await tcp.ask('a.'), /192\.0\.2\.1/);
  });

  it('max_concurrent refuses what is too much', async () => {
    await using fake = await upstream();
    fake.answer = () => undefined;
    await using served = await serve(
      `forward . ${to(fake)} {\n max_concurrent 1\n read_timeout 10ms\n max_connect_attempts 1\n }`,
    );
    const [first, second] = await Promise.all([served.ask('a.'), served.ask('b.')]);
    assert.deepEqual([first, second], ['SERVFAIL', 'REFUSED']);
    assert.match(served.metrics.expose(), /coredns_forward_max_concurrent_rejects_total 1/);
  });

  it('except, several forwards, next and failover', async () => {
    await using one = await upstream('192.0.2.1');
    await using two = await upstream('192.0.2.2');
    await using served = await serve(`
      forward example.org ${to(one)} {
        except internal.example.org
        next NXDOMAIN
      }
      forward . ${to(two)}`);
    assert.match(await served.ask('a.example.org.'), /192\.0\.2\.1/);
    assert.match(await served.ask('a.internal.example.org.'), /192\.0\.2\.2/);
    assert.match(await served.ask('example.net.'), /192\.0\.2\.2/);
    one.answer = () => ({ rcode: RCODE.NXDOMAIN });
    assert.match(await served.ask('b.example.org.'), /192\.0\.2\.2/);
    await using failover = await serve(`forward . ${to(one)} ${to(two)} {\n policy sequential\n failover NXDOMAIN\n }`);
    assert.match(await failover.ask('a.'), /192\.0\.2\.2/);
    two.answer = one.answer;
    assert.equal(await failover.ask('a.'), 'NXDOMAIN');
  });

  it('RFC 5452 9.1: an answer to another question is not taken', async () => {
    await using fake = await upstream();
    fake.answer = () => ({ questions: [{ name: 'evil.', type: 1, class: 1 }] });
    await using served = await serve(`forward . ${to(fake)} {\n read_timeout 10ms\n max_connect_attempts 1\n }`);
    assert.equal(await served.ask('a.'), 'SERVFAIL');
  });

  for (const [text, expected] of [
    ['192.0.2.1', { address: '192.0.2.1', port: 53 }],
    ['192.0.2.1:5353', { address: '192.0.2.1', port: 5353 }],
    ['dns://192.0.2.1', { address: '192.0.2.1', port: 53 }],
    ['2001:db8::1', { address: '2001:db8::1', port: 53 }],
    ['[2001:db8::1]:54', { address: '2001:db8::1', port: 54 }],
    ['tls://192.0.2.1', { address: '192.0.2.1', port: 853, tls: {} }],
    ['tls://192.0.2.1%dns.example:8853', { address: '192.0.2.1', port: 8853, tls: { serverName: 'dns.example' } }],
    ['192.0.2.300', undefined],
    ['192.0.2.1:0', undefined],
    ['dns.example', undefined],
    ['https://192.0.2.1', undefined],
  ] as const) {
    it(`TO ${text}`, () => {
      const parsed = forwardTarget.parse(text);
      assert.deepEqual(parsed.ok && parsed.value.kind === 'server' ? parsed.value.server : undefined, expected);
    });
  }

  it('resolv.conf(5): nameserver lines, both families, comments and junk', () => {
    const text = '# x\nnameserver 192.0.2.1\n  nameserver 2001:db8::1 # y\nnameserver\nnameserver word\nsearch a b\n';
    assert.deepEqual(
      parseResolvConf(text).map(({ address }) => address),
      ['192.0.2.1', '2001:db8::1'],
    );
  });
});
