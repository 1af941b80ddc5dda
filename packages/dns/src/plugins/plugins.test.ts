import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { type LogFields, type Logger, MetricsRegistry, SimulatedClock, silentLogger, systemClock } from '@ballast/base';
import { CONFIG_MAPS, FakeClient } from '@ballast/kube';
import { run } from '@ballast/linux';
import { startDnsServer } from '../server/dns-server.ts';
import { serveCorefile } from '../server/served-corefile.ts';
import { createMemoryTransport } from '../transport/memory.ts';
import { makeQuery } from '../wire/message.ts';
import { RCODE, TYPE } from '../wire/registry.ts';

/** A logger that keeps its events as 'level event'. */
function recordingLogger(): { logger: Logger; events: string[]; fields: LogFields[] } {
  const events: string[] = [];
  const fields: LogFields[] = [];
  const log =
    (level: string) =>
    (event: string, more: LogFields = {}) => {
      events.push(`${level} ${event}`);
      fields.push(more);
    };
  const logger: Logger = {
    debug: log('debug'),
    info: log('info'),
    warn: log('warn'),
    error: log('error'),
    child: () => logger,
  };
  return { logger, events, fields };
}

/** Moves simulated time on until the promise has settled: real I/O lies between its timers. */
async function whileTimePasses<T>(clock: SimulatedClock, promise: PromiseLike<T>): Promise<T> {
  let isSettled = false;
  const settled = Promise.resolve(promise).finally(() => {
    isSettled = true;
  });
  while (!isSettled) await clock.advance(500);
  return settled;
}

describe('hosts', () => {
  const inline = `hosts /dev/null example.org {
    192.0.2.1 www.example.org alias.example.org
    2001:db8::1 www.example.org
    192.0.2.9 *.apps.example.org
    ttl 60
    fallthrough nowhere.example.org
  }`;

  it('A, AAAA, wildcard of one label, PTR, NODATA, SERVFAIL for what is not here, fallthrough', async () => {
    await using served = await serveCorefile(`. {\n${inline}\n whoami\n}`);
    assert.equal(await served.ask('WWW.example.org.'), 'NOERROR\nWWW.example.org. 60 IN A 192.0.2.1');
    assert.equal(await served.ask('www.example.org.', 'AAAA'), 'NOERROR\nwww.example.org. 60 IN AAAA 2001:db8::1');
    assert.equal(await served.ask('a.apps.example.org.'), 'NOERROR\na.apps.example.org. 60 IN A 192.0.2.9');
    assert.equal(await served.ask('b.a.apps.example.org.'), 'SERVFAIL');
    assert.equal(await served.ask('www.example.org.', 'MX'), 'NOERROR');
    assert.equal(await served.ask('none.example.org.'), 'SERVFAIL');
    assert.match(await served.ask('x.nowhere.example.org.'), /_udp/, 'whoami answers');
    await using reverse = await serveCorefile(`. {\n${inline.replace(' example.org {', ' . {')}\n}`);
    assert.equal(
      await reverse.ask('1.2.0.192.in-addr.arpa.', 'PTR'),
      'NOERROR\n1.2.0.192.in-addr.arpa. 60 IN PTR www.example.org.\n1.2.0.192.in-addr.arpa. 60 IN PTR alias.example.org.',
    );
    assert.equal(await reverse.ask('9.2.0.192.in-addr.arpa.', 'PTR'), 'REFUSED', 'none from a wildcard');
  });

  it('a changed file is noticed', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'ballast-hosts-'));
    const path = join(folder, 'hosts');
    await writeFile(path, '192.0.2.1 a.test # comment\nnot an address\n');
    const clock = new SimulatedClock();
    await using served = await serveCorefile(`. {\n hosts ${path}\n}`, { clock });
    assert.match(await served.ask('a.test.'), /192\.0\.2\.1$/);
    await writeFile(path, '192.0.2.22 a.test\n');
    await clock.advance(5000);
    for (let i = 0; i < 50 && !(await served.ask('a.test.')).endsWith('.22'); i++) await new Promise(setImmediate);
    assert.match(await served.ask('a.test.'), /192\.0\.2\.22$/);
    await rm(folder, { recursive: true });
  });
});

describe('loadbalance', () => {
  const hosts = (lines: readonly string[]) => `hosts /dev/null {\n${lines.map((ip) => `${ip} a.test`).join('\n')}\n}`;

  it('puts each address first equally often, behind the cache too', async () => {
    await using served = await serveCorefile(
      `. {\n loadbalance\n cache\n ${hosts(['192.0.2.1', '192.0.2.2', '192.0.2.3'])}\n}`,
    );
    const firsts = new Map<string, number>();
    for (let i = 0; i < 600; i++) {
      const first = (await served.ask('a.test.')).split('\n')[1] ?? '';
      firsts.set(first, (firsts.get(first) ?? 0) + 1);
    }
    assert.equal(firsts.size, 3);
    for (const count of firsts.values()) assert.ok(count > 130 && count < 270, String(count));
  });

  it('prefer puts networks first, in their order', async () => {
    const lines = ['192.0.2.1', '10.0.0.1', '10.1.0.1'];
    await using served = await serveCorefile(
      `. {\n loadbalance {\n prefer 10.1.0.0/16 10.0.0.0/8\n }\n ${hosts(lines)}\n}`,
    );
    for (let i = 0; i < 10; i++) {
      const addresses = Array.from((await served.ask('a.test.')).matchAll(/A (\S+)/g), ([, ip]) => ip);
      assert.deepEqual(addresses, ['10.1.0.1', '10.0.0.1', '192.0.2.1']);
    }
  });
});

describe('errors and log', () => {
  it('errors tells why a query failed, and consolidates', async () => {
    const { logger, events, fields } = recordingLogger();
    const clock = new SimulatedClock();
    const text = `. {\n errors {\n consolidate 1m "no upstream" warning show_first\n }\n forward . /nonexistent\n}`;
    await using served = await serveCorefile(text, { logger, clock });
    for (let i = 0; i < 3; i++) await served.ask('a.');
    await clock.advance(60_000);
    const heard = events.filter((event) => /query failed|errors like/.test(event));
    assert.deepEqual(heard, ['warn query failed', "warn 3 errors like 'no upstream' occurred in last 1m"]);
    assert.ok(fields.some(({ error }) => error === 'there is no upstream to ask'));
  });

  it('log writes the common format for the classes asked for', async () => {
    const { logger, events } = recordingLogger();
    const text = `. {\n log example.org {\n class success denial\n }\n hosts /dev/null {\n 192.0.2.1 www.example.org\n }\n}`;
    await using served = await serveCorefile(text, { logger });
    await served.ask('www.example.org.', 'A', { message: { id: 7 } });
    await served.ask('none.example.org.');
    await served.ask('example.net.');
    const lines = events.filter((event) => event.includes('IN '));
    assert.equal(lines.length, 1);
    assert.match(
      lines[0] ?? '',
      /^info 192\.0\.2\.100:40000 - 7 "A IN www\.example\.org\. udp 33 false 512" NOERROR qr,aa,rd 49 0\.0+s$/,
    );
  });
});

describe('acl, template, any', () => {
  it('acl: the first rule that fits decides, by type and network', async () => {
    await using served = await serveCorefile(`. {
      acl {
        filter type TXT
        allow net 10.0.0.0/8 2001:db8::/32
        drop net 198.51.100.0/24
        block
      }
      whoami
    }`);
    const ask = (address: string, type = 'A') => served.ask('a.', type, { client: { address, port: 1 } });
    assert.match(await ask('10.1.1.1'), /^NOERROR\n/);
    assert.match(await ask('2001:db8::9'), /^NOERROR\n/);
    assert.equal(await ask('10.1.1.1', 'TXT'), 'NOERROR');
    assert.equal(await ask('198.51.100.7'), 'nothing');
    assert.equal(await ask('192.0.2.1'), 'REFUSED');
    assert.match(
      served.metrics.expose(),
      /coredns_acl_blocked_requests_total\{server="dns:\/\/:53",zone="\.",view=""\} 1/,
    );
  });

  it('template: groups make records, other names fall through or fail', async () => {
    await using served = await serveCorefile(`. {
      template IN A example.org {
        match "^ip-(?P<a>[0-9]+)-(?<b>[0-9]+)[.]example[.]org[.]$"
        answer "{{ .Name }} 60 IN A 10.0.{{ .Group.a }}.{{ index .Match 2 }}"
      }
    }`);
    assert.equal(await served.ask('IP-1-2.example.org.'), 'NOERROR\nIP-1-2.example.org. 60 IN A 10.0.1.2');
    assert.equal(await served.ask('ip-999-1.example.org.'), 'SERVFAIL');
    assert.equal(await served.ask('other.example.org.'), 'SERVFAIL');
    assert.equal(await served.ask('example.net.'), 'REFUSED');
  });

  it('RFC 8482: ANY has a small answer', async () => {
    await using served = await serveCorefile('. {\n any\n}');
    assert.equal(await served.ask('a.', 'ANY'), 'NOERROR\na. 8482 IN HINFO "ANY obsoleted" "See RFC 8482"');
  });
});

describe('loop', () => {
  it('a server that forwards to itself says so, and answers SERVFAIL instead of asking for ever', async () => {
    const { logger, events } = recordingLogger();
    const port = 22_000 + Math.floor(Math.random() * 8000);
    await using server = await startDnsServer({
      corefile: {
        text: `.:${port} {
 loop
 hosts /dev/null {
 192.0.2.1 a.test
 fallthrough
 }
 forward . 127.0.0.1:${port}
}`,
      },
      logger,
      clock: systemClock,
      listenHost: '127.0.0.1',
      udpWorkers: 0,
    });
    assert.equal(server.addresses.length, 2);
    const told = () => events.some((event) => event.includes('forwarding loop'));
    for (let i = 0; i < 200 && !told(); i++) await systemClock.sleep(10);
    assert.ok(told());
    const dig = (name: string) => run('dig', ['@127.0.0.1', '-p', String(port), '+tries=1', name]);
    assert.match(await dig('example.net'), /status: SERVFAIL/);
    assert.match(await dig('a.test'), /192\.0\.2\.1/);
  });
});

describe('health, ready, prometheus', () => {
  it('answer over HTTP, share a listener, and stay up through a reload', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'ballast-http-'));
    const path = join(folder, 'Corefile');
    const port = 20_000 + Math.floor(Math.random() * 10_000);
    const corefile = (zone: string) =>
      `${zone} {\n reload\n health 127.0.0.1:${port}\n ready 127.0.0.1:${port}\n prometheus 127.0.0.1:${port}\n whoami\n}`;
    await writeFile(path, corefile('example.org'));
    const transport = createMemoryTransport();
    const server = await startDnsServer({
      corefile: { path },
      logger: silentLogger,
      clock: systemClock,
      listenHost: 'memory',
      transports: [transport.open],
    });
    const get = async (route: string) => {
      const response = await fetch(`http://127.0.0.1:${port}${route}`);
      return `${response.status} ${await response.text()}`;
    };
    assert.equal(await get('/health'), '200 OK');
    assert.equal(await get('/ready'), '200 OK');
    await transport.ask(makeQuery({ name: 'a.example.org.', type: TYPE.A }));
    await transport.ask(makeQuery({ name: 'a.example.net.', type: TYPE.A }));
    const metrics = await get('/metrics');
    for (const line of [
      'coredns_dns_requests_total{server="dns://:53",zone="example.org.",view="",proto="udp",family="1",type="A"} 1',
      'coredns_dns_requests_total{server="dns://:53",zone="dropped",view="",proto="udp",family="1",type="A"} 1',
      'coredns_dns_responses_total{server="dns://:53",zone="dropped",view="",rcode="REFUSED",plugin=""} 1',
      'coredns_plugin_enabled{server="dns://:53",zone="example.org.",view="",name="whoami"} 1',
      'coredns_panics_total 0',
    ]) {
      assert.ok(metrics.includes(line), line);
    }
    await writeFile(path, corefile('example.net'));
    assert.equal(await server.reload(), 'changed');
    assert.equal(await get('/health'), '200 OK');
    const after = await get('/metrics');
    assert.ok(!after.includes('zone="example.org.",view="",name="whoami"'));
    assert.ok(after.includes('zone="example.net.",view="",name="whoami"'));
    await server[Symbol.asyncDispose]();
    await assert.rejects(get('/health'));
    await rm(folder, { recursive: true });
  });

  it('lameduck: ready says no at once, queries are answered until the end', async () => {
    const port = 30_000 + Math.floor(Math.random() * 2000);
    const clock = new SimulatedClock();
    const text = `. {\n health 127.0.0.1:${port} {\n lameduck 5s\n }\n ready 127.0.0.1:${port}\n whoami\n}`;
    const served = await serveCorefile(text, { clock });
    const stopping = served[Symbol.asyncDispose]();
    await clock.advance(4999);
    const response = await fetch(`http://127.0.0.1:${port}/ready`);
    assert.equal(`${response.status} ${await response.text()}`, '503 Shutting down');
    assert.match(await served.ask('a.'), /^NOERROR/);
    await clock.advance(1);
    await stopping;
    await assert.rejects(served.ask('a.'));
  });
});

describe('Corefile in a ConfigMap', () => {
  const metadata = { namespace: 'kube-system', name: 'coredns' };
  const corefile = (address: string) => `.:10053 {\n reload\n hosts /dev/null {\n ${address} a.test\n }\n}`;

  async function serve(client: FakeClient, clock = new SimulatedClock()) {
    const transport = createMemoryTransport();
    const server = await startDnsServer({
      corefile: { configMap: metadata },
      client,
      logger: silentLogger,
      clock,
      listenHost: 'memory',
      transports: [transport.open],
      metrics: new MetricsRegistry(),
    });
    const ask = async (name = 'a.test.') => {
      const answer = await transport.ask(makeQuery({ name, type: TYPE.A }));
      const data = answer?.answers[0]?.data;
      return data?.kind === 'A' ? data.address : answer?.rcode;
    };
    return { server, ask };
  }

  it('is used, its changes are taken over by the watch, and a bad one is not', async () => {
    const client = new FakeClient();
    await client.create(CONFIG_MAPS, { metadata, data: { Corefile: corefile('192.0.2.1') } });
    const { server, ask } = await serve(client);
    assert.equal(await ask(), '192.0.2.1');
    const change = async (text: string) => {
      await client.patch(CONFIG_MAPS, metadata, { type: 'merge', body: { data: { Corefile: text } } });
      for (let i = 0; i < 20; i++) await new Promise(setImmediate);
      await server.reload();
    };
    await change(corefile('192.0.2.2'));
    assert.equal(await ask(), '192.0.2.2');
    await change('.:10053 {\n bogus\n}');
    assert.equal(await ask(), '192.0.2.2');
    await change(corefile('192.0.2.3'));
    assert.equal(await ask(), '192.0.2.3');
    await server[Symbol.asyncDispose]();
  });

  it('with the API server away the default is served: names of the cluster get SERVFAIL, not a denial', async () => {
    const client = new FakeClient();
    client.list = () => Promise.reject(new Error('connection refused'));
    const clock = new SimulatedClock();
    const { server, ask } = await whileTimePasses(clock, serve(client, clock));
    assert.equal(await ask('web.shop.svc.cluster.local.'), RCODE.SERVFAIL);
    await whileTimePasses(clock, server[Symbol.asyncDispose]());
  });
});
