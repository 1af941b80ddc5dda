import assert from 'node:assert/strict';
import { test } from 'node:test';
import { deflateRawSync } from 'node:zlib';
import { hasCode } from '@ballast/base';
import fc from 'fast-check';
import { createProgram, runCli } from './cli.ts';
import { kebab } from './cluster-commands.ts';
import { parseFrrRoute, parseHello } from './demo/proofs.ts';
import { formatSummary } from './demo/summary.ts';
import { extractZipEntry, listZip } from './layer-zip.ts';

async function capture(argv: readonly string[]): Promise<{ code: number; stderr: string; stdout: string }> {
  const said = { stderr: '', stdout: '' };
  const writes = { stderr: process.stderr.write, stdout: process.stdout.write };
  for (const name of ['stderr', 'stdout'] as const) {
    process[name].write = (chunk: string | Uint8Array) => {
      said[name] += String(chunk);
      return true;
    };
  }
  try {
    const code = await runCli(argv);
    return { code, ...said };
  } finally {
    process.stderr.write = writes.stderr;
    process.stdout.write = writes.stdout;
  }
}

test('an unknown command or flag is answered with the likely one, exit code 2', async () => {
  const command = await capture(['lab', 'upp']);
  assert.equal(command.code, 2);
  assert.match(command.stderr, /unknown command 'upp'\n\(Did you mean up\?\)/);
  const flag = await capture(['server', '--node-nam', 'x']);
  assert.equal(flag.code, 2);
  assert.match(flag.stderr, /unknown option '--node-nam'\n\(Did you mean --node-name\?\)/);
});

test('bad values of flags are all reported at once', async () => {
  const { code, stderr } = await capture([
    'server',
    '--node-ip',
    '1.2.3',
    '--cluster-cidr',
    'x',
    '--config',
    '/dev/null',
  ]);
  assert.equal(code, 1);
  assert.match(stderr, /--node-ip: expected an IPv4 address/);
  assert.match(stderr, /--cluster-cidr: expected an IPv4 prefix/);
});

test('every command has a description and its own help', () => {
  const commands = (command = createProgram()): ReturnType<typeof createProgram>[] => [
    command,
    ...command.commands.flatMap((inner) => commands(inner)),
  ];
  for (const command of commands()) {
    assert.notEqual(command.description(), '', command.name());
    assert.match(command.helpInformation(), /Usage:/);
  }
});

test('version speaks JSON', async () => {
  const { code, stdout } = await capture(['version', '-o', 'json']);
  assert.equal(code, 0);
  assert.match((JSON.parse(stdout) as { kubernetes: string }).kubernetes, /^v1\.36\./);
});

test('flags become the keys of the configuration file', () => {
  assert.deepEqual(kebab({ nodeIp: 'a', httpsListenPort: 1 }), { 'node-ip': 'a', 'https-listen-port': 1 });
});

/** A ZIP archive with one deflated file, written by hand after APPNOTE.TXT. */
function zip(name: string, content: Buffer): Buffer {
  const packed = deflateRawSync(content);
  const local = Buffer.alloc(30);
  local.writeUInt32LE(0x04034b50, 0);
  local.writeUInt16LE(name.length, 26);
  const central = Buffer.alloc(46);
  central.writeUInt32LE(0x02014b50, 0);
  central.writeUInt16LE(8, 10);
  central.writeUInt32LE(packed.length, 20);
  central.writeUInt32LE(content.length, 24);
  central.writeUInt16LE(name.length, 28);
  const end = Buffer.alloc(22);
  end.writeUInt32LE(0x06054b50, 0);
  end.writeUInt16LE(1, 10);
  end.writeUInt32LE(local.length + name.length + packed.length, 16);
  return Buffer.concat([local, Buffer.from(name), packed, central, Buffer.from(name), end]);
}

test('a file comes out of a ZIP archive as it went in', async () => {
  await fc.assert(
    fc.asyncProperty(fc.uint8Array(), async (bytes) => {
      const archive = zip('kubectl/kubectl', Buffer.from(bytes));
      const [entry] = listZip(archive);
      assert.ok(entry);
      assert.equal(entry.name, 'kubectl/kubectl');
      assert.deepEqual(await extractZipEntry(archive, entry), Buffer.from(bytes));
    }),
  );
});

test('what is no ZIP archive, or a damaged one, is said to be', async () => {
  const archive = zip('a', Buffer.from('text'));
  await fc.assert(
    fc.asyncProperty(fc.nat(archive.length - 1), fc.integer({ min: 0, max: 255 }), async (at, value) => {
      const damaged = Buffer.from(archive);
      damaged[at] = value;
      try {
        for (const entry of listZip(damaged)) await extractZipEntry(damaged, entry);
      } catch (error) {
        assert.ok(hasCode(error, 'zip-damaged'), String(error));
      }
    }),
  );
  assert.throws(
    () => listZip(Buffer.from('not a zip')),
    (error) => hasCode(error, 'zip-damaged'),
  );
});

test("FRR's route is reduced to the next hops that forward", () => {
  const text = JSON.stringify({
    '192.0.2.200/32': [
      { protocol: 'static', nexthops: [{ ip: '192.0.2.99', fib: true }] },
      {
        protocol: 'bgp',
        selected: true,
        nexthops: [{ ip: '192.0.2.13', fib: true }, { ip: '192.0.2.11', fib: true }, { ip: '192.0.2.12' }],
      },
    ],
  });
  assert.deepEqual(parseFrrRoute(text), { prefix: '192.0.2.200/32', nextHops: ['192.0.2.11', '192.0.2.13'] });
  assert.equal(parseFrrRoute('{}'), undefined);
});

test("the sample application's answer is read", () => {
  assert.deepEqual(parseHello('{"pod":"p","node":"n","client":"c","version":"1"}'), {
    pod: 'p',
    node: 'n',
    client: 'c',
  });
});

test('the summary tells what was proved, line by line', () => {
  const text = formatSummary({
    lab: 'demo',
    seconds: 12.34,
    nodes: [
      { name: 'server', address: '192.0.2.11', ready: true },
      { name: 'agent-1', address: '192.0.2.12', ready: true },
    ],
    service: { name: 'default/hello', address: '192.0.2.200', clusterIP: '10.43.1.2' },
    answers: [
      { pod: 'hello-b', node: 'agent-1', client: '192.0.2.9' },
      { pod: 'hello-a', node: 'server', client: '192.0.2.9' },
      { pod: 'hello-b', node: 'agent-1', client: '192.0.2.9' },
    ],
    neighbour: { mac: '02:ba:11:a5:00:0c', machine: 'agent-1' },
    route: {
      prefix: '192.0.2.200/32',
      nextHops: [
        { address: '192.0.2.11', machine: 'server' },
        { address: '192.0.2.12', machine: 'agent-1' },
      ],
    },
    dns: { server: '192.0.2.250', name: 'hello.default.svc.cluster.local', answers: ['10.43.1.2'] },
    kubeconfig: '/var/lib/ballast-lab/demo/kubeconfig.yaml',
    command: './ballast',
  });
  assert.equal(
    text,
    `
Lab "demo" is up: 12.3 s

  Nodes          server    192.0.2.11    Ready
                 agent-1   192.0.2.12    Ready
  Service        default/hello, type LoadBalancer: 192.0.2.200 (inside: 10.43.1.2)
  HTTP by ARP    3 requests of the LAN client, 3 answers:
                    1 × hello-a on server
                    2 × hello-b on agent-1
                 192.0.2.200 is at 02:ba:11:a5:00:0c, which is agent-1
  Route by BGP   FRR on the router has 192.0.2.200/32 by 2 equal-cost next hops:
                   192.0.2.11 (server)
                   192.0.2.12 (agent-1)
  DNS            dig @192.0.2.250 hello.default.svc.cluster.local  →  10.43.1.2
  Kubeconfig     /var/lib/ballast-lab/demo/kubeconfig.yaml

Try next, from another terminal:

  ./ballast kubectl get pods -A -o wide              the real kubectl, on this cluster
  ./ballast lab exec client -- curl -s 192.0.2.200   a request from the LAN
  ./ballast lab fault kill agent-1                   a power cut where the address is announced; "start" ends it

Ctrl-C takes everything down without a trace.
`,
  );
});
