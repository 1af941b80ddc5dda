import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { SimulatedClock } from '@ballast/base';
import { ENDPOINT_SLICES, FakeClient, NAMESPACES, PODS, SERVICES } from '@ballast/kube';
import { type ServedCorefile, serveCorefile } from '../../server/served-corefile.ts';

const meta = (name: string, namespace = 'shop') => ({ name, namespace });

/** A cluster with one of everything that DNS can show. */
async function cluster(): Promise<FakeClient> {
  const client = new FakeClient();
  for (const name of ['shop', 'hidden', 'kube-system']) await client.create(NAMESPACES, { metadata: { name } });
  const http = { name: 'http', protocol: 'TCP', port: 80 } as const;
  const services = [
    { name: 'web', spec: { clusterIP: '10.43.0.20', clusterIPs: ['10.43.0.20'], ports: [http] } },
    {
      name: 'dual',
      spec: {
        clusterIP: '10.43.0.21',
        clusterIPs: ['10.43.0.21', 'fd00:43::21'],
        ports: [http, { ...http, name: 'dns', protocol: 'UDP', port: 53 }],
      },
    },
    { name: 'six', spec: { clusterIP: 'fd00:43::6', clusterIPs: ['fd00:43::6'], ports: [http] } },
    { name: 'bare', spec: { clusterIP: '10.43.0.22', clusterIPs: ['10.43.0.22'] } },
    { name: 'peers', spec: { clusterIP: 'None', clusterIPs: ['None'], ports: [http] } },
    { name: 'lonely', spec: { clusterIP: 'None', clusterIPs: ['None'], ports: [http] } },
    { name: 'away', spec: { type: 'ExternalName', externalName: 'www.example.net' } },
    { name: 'inside', spec: { type: 'ExternalName', externalName: 'web.shop.svc.cluster.local' } },
    { name: 'circle', spec: { type: 'ExternalName', externalName: 'circle.shop.svc.cluster.local' } },
    { name: 'wrong', spec: { type: 'ExternalName', externalName: '192.0.2.9' } },
  ] as const;
  for (const { name, spec } of services) {
    await client.create(SERVICES, { metadata: meta(name), spec: structuredClone(spec) as object });
  }
  await client.create(SERVICES, {
    metadata: meta('web', 'hidden'),
    spec: { clusterIP: '10.43.0.90', clusterIPs: ['10.43.0.90'] },
  });
  await client.create(ENDPOINT_SLICES, {
    metadata: { ...meta('peers-1'), labels: { 'kubernetes.io/service-name': 'peers' } },
    addressType: 'IPv4',
    ports: [{ name: 'http', protocol: 'TCP', port: 8080 }],
    endpoints: [
      { addresses: ['10.42.0.5'], hostname: 'alpha', conditions: { ready: true } },
      { addresses: ['10.42.0.6'], targetRef: { kind: 'Pod', name: 'peers-x' } },
      { addresses: ['10.42.0.7'], conditions: { ready: false } },
    ],
  });
  await client.create(ENDPOINT_SLICES, {
    metadata: { ...meta('peers-2'), labels: { 'kubernetes.io/service-name': 'peers' } },
    addressType: 'IPv6',
    ports: [{ name: 'http', protocol: 'TCP', port: 8080 }],
    endpoints: [{ addresses: ['fd00:42::'] }],
  });
  await client.create(ENDPOINT_SLICES, {
    metadata: { ...meta('web-1'), labels: { 'kubernetes.io/service-name': 'web' } },
    addressType: 'IPv4',
    ports: [{ name: 'http', protocol: 'TCP', port: 8080 }],
    endpoints: [{ addresses: ['10.42.0.8'] }],
  });
  await client.create(PODS, {
    metadata: meta('api'),
    spec: { containers: [] },
    status: { phase: 'Running', podIP: '10.42.0.8' },
  });
  return client;
}

const STOCK = `kubernetes cluster.local in-addr.arpa ip6.arpa {
  pods insecure
  ttl 30
  namespaces shop kube-system
}`;

function serve(client: FakeClient, directives = STOCK): Promise<ServedCorefile> {
  return serveCorefile(`.:53 {\n${directives}\n}`, { client });
}

const SOA =
  /; authority cluster\.local\. 30 IN SOA ns\.dns\.cluster\.local\. hostmaster\.cluster\.local\. \d+ 7200 1800 86400 30$/;

/** Name, type, what the answer must be: records, or a code (negative answers carry the SOA). */
const TABLE: readonly (readonly [string, string, string])[] = [
  // Kubernetes DNS specification 2.2 to 2.4
  ['dns-version.cluster.local.', 'TXT', 'dns-version.cluster.local. 28800 IN TXT "1.1.0"'],
  ['web.shop.svc.cluster.local.', 'A', 'web.shop.svc.cluster.local. 30 IN A 10.43.0.20'],
  ['WeB.shop.svc.Cluster.LOCAL.', 'A', 'WeB.shop.svc.Cluster.LOCAL. 30 IN A 10.43.0.20'],
  ['web.shop.svc.cluster.local.', 'AAAA', 'NODATA'],
  ['six.shop.svc.cluster.local.', 'A', 'NODATA'],
  ['dual.shop.svc.cluster.local.', 'AAAA', 'dual.shop.svc.cluster.local. 30 IN AAAA fd00:43::21'],
  [
    '_http._tcp.web.shop.svc.cluster.local.',
    'SRV',
    '_http._tcp.web.shop.svc.cluster.local. 30 IN SRV 0 100 80 web.shop.svc.cluster.local.\n' +
      '; additional web.shop.svc.cluster.local. 30 IN A 10.43.0.20',
  ],
  [
    '_http._tcp.dual.shop.svc.cluster.local.',
    'SRV',
    '_http._tcp.dual.shop.svc.cluster.local. 30 IN SRV 0 50 80 dual.shop.svc.cluster.local.\n' +
      '; additional dual.shop.svc.cluster.local. 30 IN A 10.43.0.21\n' +
      '; additional dual.shop.svc.cluster.local. 30 IN AAAA fd00:43::21',
  ],
  ['http.tcp.web.shop.svc.cluster.local.', 'A', 'http.tcp.web.shop.svc.cluster.local. 30 IN A 10.43.0.20'],
  ['_http._udp.web.shop.svc.cluster.local.', 'SRV', 'NXDOMAIN'],
  ['_nope._tcp.web.shop.svc.cluster.local.', 'A', 'NXDOMAIN'],
  ['bare.shop.svc.cluster.local.', 'A', 'bare.shop.svc.cluster.local. 30 IN A 10.43.0.22'],
  ['bare.shop.svc.cluster.local.', 'SRV', 'NODATA'],
  ['20.0.43.10.in-addr.arpa.', 'PTR', '20.0.43.10.in-addr.arpa. 30 IN PTR web.shop.svc.cluster.local.'],
  // 2.4: headless
  [
    'peers.shop.svc.cluster.local.',
    'A',
    'peers.shop.svc.cluster.local. 30 IN A 10.42.0.5\npeers.shop.svc.cluster.local. 30 IN A 10.42.0.6',
  ],
  ['peers.shop.svc.cluster.local.', 'AAAA', 'peers.shop.svc.cluster.local. 30 IN AAAA fd00:42::'],
  ['alpha.peers.shop.svc.cluster.local.', 'A', 'alpha.peers.shop.svc.cluster.local. 30 IN A 10.42.0.5'],
  ['10-42-0-6.peers.shop.svc.cluster.local.', 'A', '10-42-0-6.peers.shop.svc.cluster.local. 30 IN A 10.42.0.6'],
  ['fd00-42--0.peers.shop.svc.cluster.local.', 'AAAA', 'fd00-42--0.peers.shop.svc.cluster.local. 30 IN AAAA fd00:42::'],
  ['10-42-0-7.peers.shop.svc.cluster.local.', 'A', 'NXDOMAIN'],
  ['alpha.peers.shop.svc.cluster.local.', 'AAAA', 'NODATA'],
  [
    '_http._tcp.peers.shop.svc.cluster.local.',
    'SRV',
    '_http._tcp.peers.shop.svc.cluster.local. 30 IN SRV 0 33 8080 alpha.peers.shop.svc.cluster.local.\n' +
      '_http._tcp.peers.shop.svc.cluster.local. 30 IN SRV 0 33 8080 10-42-0-6.peers.shop.svc.cluster.local.\n' +
      '_http._tcp.peers.shop.svc.cluster.local. 30 IN SRV 0 33 8080 fd00-42--0.peers.shop.svc.cluster.local.\n' +
      '; additional alpha.peers.shop.svc.cluster.local. 30 IN A 10.42.0.5\n' +
      '; additional 10-42-0-6.peers.shop.svc.cluster.local. 30 IN A 10.42.0.6\n' +
      '; additional fd00-42--0.peers.shop.svc.cluster.local. 30 IN AAAA fd00:42::',
  ],
  ['5.0.42.10.in-addr.arpa.', 'PTR', '5.0.42.10.in-addr.arpa. 30 IN PTR alpha.peers.shop.svc.cluster.local.'],
  ['lonely.shop.svc.cluster.local.', 'A', 'NXDOMAIN'],
  // 2.5: ExternalName
  ['away.shop.svc.cluster.local.', 'CNAME', 'away.shop.svc.cluster.local. 30 IN CNAME www.example.net.'],
  [
    'inside.shop.svc.cluster.local.',
    'A',
    'inside.shop.svc.cluster.local. 30 IN CNAME web.shop.svc.cluster.local.\nweb.shop.svc.cluster.local. 30 IN A 10.43.0.20',
  ],
  ['away.shop.svc.cluster.local.', 'A', 'NODATA'],
  ['away.shop.svc.cluster.local.', 'SRV', 'NODATA'],
  ['x.away.shop.svc.cluster.local.', 'A', 'NXDOMAIN'],
  ['circle.shop.svc.cluster.local.', 'A', 'NODATA'],
  ['wrong.shop.svc.cluster.local.', 'A', 'NXDOMAIN'],
  // NODATA or NXDOMAIN
  ['svc.cluster.local.', 'A', 'NODATA'],
  ['pod.cluster.local.', 'TXT', 'NODATA'],
  ['svc.cluster.local.', 'NS', 'NODATA'],
  ['shop.svc.cluster.local.', 'NS', 'NODATA'],
  ['shop.svc.cluster.local.', 'A', 'NODATA'],
  ['shop.pod.cluster.local.', 'A', 'NODATA'],
  ['none.svc.cluster.local.', 'A', 'NXDOMAIN'],
  ['web.none.svc.cluster.local.', 'A', 'NXDOMAIN'],
  ['hidden.svc.cluster.local.', 'A', 'NXDOMAIN'],
  ['web.hidden.svc.cluster.local.', 'A', 'NXDOMAIN'],
  ['90.0.43.10.in-addr.arpa.', 'PTR', 'NXDOMAIN in-addr.arpa.'],
  ['other.cluster.local.', 'A', 'NXDOMAIN'],
  ['a.b.c.web.shop.svc.cluster.local.', 'A', 'NXDOMAIN'],
  ['web.shop.svc.cluster.local.', 'TXT', 'NODATA'],
  ['none.shop.svc.cluster.local.', 'TXT', 'NXDOMAIN'],
  ['none.shop.svc.cluster.local.', 'A', 'NXDOMAIN'],
  ['cluster.local.', 'A', 'NODATA'],
  ['label.10.in-addr.arpa.', 'PTR', 'NXDOMAIN in-addr.arpa.'],
  // Pods
  ['10-42-0-99.shop.pod.cluster.local.', 'A', '10-42-0-99.shop.pod.cluster.local. 30 IN A 10.42.0.99'],
  ['fd00--1.shop.pod.cluster.local.', 'AAAA', 'fd00--1.shop.pod.cluster.local. 30 IN AAAA fd00::1'],
  ['fd00--1.shop.pod.cluster.local.', 'A', 'NODATA'],
  ['word.shop.pod.cluster.local.', 'A', 'NXDOMAIN'],
  ['10-42-0-99.none.pod.cluster.local.', 'A', 'NXDOMAIN'],
];

describe('kubernetes', () => {
  it('answers as the Kubernetes DNS specification 1.1.0 says, and denies as CoreDNS does', async (t) => {
    const client = await cluster();
    await using served = await serve(client);
    for (const [name, type, expected] of TABLE) {
      await t.test(`${name} ${type} is ${expected.split('\n')[0]}`, async () => {
        const answer = await served.ask(name, type);
        const [code, zone] = expected.split(' ');
        if (code !== 'NODATA' && code !== 'NXDOMAIN') return assert.equal(answer, `NOERROR\n${expected}`);
        assert.equal(answer.split('\n')[0], code === 'NODATA' ? 'NOERROR' : code);
        if (zone === undefined) assert.match(answer.split('\n')[1] ?? '', SOA);
        else assert.ok(answer.includes(`; authority ${zone} 30 IN SOA`), answer);
      });
    }
  });

  it('has a SOA and name servers at the apex', async () => {
    await using served = await serve(await cluster());
    assert.match(
      await served.ask('cluster.local.', 'SOA'),
      /^NOERROR\ncluster\.local\. 30 IN SOA ns\.dns\.cluster\.local\./,
    );
    assert.match(
      await served.ask('cluster.local.', 'NS'),
      /^NOERROR\ncluster\.local\. 30 IN NS ns\.dns\.cluster\.local\./,
    );
    assert.match(await served.ask('cluster.local.', 'AXFR'), /^REFUSED/);
  });

  it('before the first sync nothing is denied, nothing falls through, and the server is not ready', async () => {
    const client = await cluster();
    client.list = () => Promise.reject(new Error('connection refused'));
    const clock = new SimulatedClock();
    const starting = serveCorefile(`.:53 {\n kubernetes cluster.local in-addr.arpa {\n fallthrough\n }\n whoami\n}`, {
      client,
      clock,
    });
    await clock.advance(5000);
    await using served = await starting;
    assert.match(await served.ask('web.shop.svc.cluster.local.'), /^SERVFAIL\n; authority cluster\.local\. 5 IN SOA/);
    assert.match(await served.ask('1.0.0.10.in-addr.arpa.', 'PTR'), /^SERVFAIL/);
    assert.match(await served.ask('example.net.'), /^NOERROR/, 'other names go on');
  });

  it('fallthrough passes on what does not exist, in its zones only', async () => {
    await using served = await serve(
      await cluster(),
      `kubernetes cluster.local in-addr.arpa {\n fallthrough in-addr.arpa\n }\n whoami`,
    );
    assert.match(await served.ask('1.0.0.10.in-addr.arpa.', 'PTR'), /^NOERROR\n; additional/);
    assert.match(await served.ask('none.shop.svc.cluster.local.'), /^NXDOMAIN/);
  });

  it('pods verified answers for live pods of the namespace, disabled for none', async () => {
    const client = await cluster();
    await using verified = await serve(client, 'kubernetes cluster.local {\n pods verified\n }');
    assert.match(await verified.ask('10-42-0-8.shop.pod.cluster.local.'), /^NOERROR/);
    assert.match(await verified.ask('10-42-0-8.kube-system.pod.cluster.local.'), /^NXDOMAIN/);
    assert.match(await verified.ask('10-42-0-9.shop.pod.cluster.local.'), /^NXDOMAIN/);
    await using disabled = await serve(client, 'kubernetes cluster.local');
    assert.match(await disabled.ask('10-42-0-8.shop.pod.cluster.local.'), /^NXDOMAIN/);
  });

  it('endpoint_pod_names, noendpoints and ignore empty_service', async () => {
    const client = await cluster();
    await using pods = await serve(client, 'kubernetes cluster.local {\n endpoint_pod_names\n }');
    assert.match(await pods.ask('peers-x.peers.shop.svc.cluster.local.'), /A 10\.42\.0\.6$/);
    await using none = await serve(client, 'kubernetes cluster.local {\n noendpoints\n }');
    assert.match(await none.ask('peers.shop.svc.cluster.local.'), /^NXDOMAIN/);
    assert.match(await none.ask('web.shop.svc.cluster.local.'), /^NOERROR/);
    await using ignore = await serve(client, 'kubernetes cluster.local {\n ignore empty_service\n }');
    assert.match(await ignore.ask('bare.shop.svc.cluster.local.'), /^NXDOMAIN/);
    assert.match(await ignore.ask('web.shop.svc.cluster.local.'), /^NOERROR/);
  });

  it('a kept answer is dropped when what it was made of changes', async () => {
    const client = await cluster();
    const clock = new SimulatedClock();
    await using served = await serveCorefile(`.:53 {\n kubernetes cluster.local {\n ttl 30\n }\n cache 30\n}`, {
      client,
      clock,
    });
    assert.match(await served.ask('new.shop.svc.cluster.local.'), /^NXDOMAIN/);
    assert.match(await served.ask('web.shop.svc.cluster.local.'), /A 10\.43\.0\.20/);
    await client.create(SERVICES, {
      metadata: meta('new'),
      spec: { clusterIP: '10.43.0.30', clusterIPs: ['10.43.0.30'] },
    });
    await client.delete(SERVICES, meta('web'));
    await clock.advance(20);
    assert.match(await served.ask('new.shop.svc.cluster.local.'), /A 10\.43\.0\.30/);
    assert.match(await served.ask('web.shop.svc.cluster.local.'), /^NXDOMAIN/);
    assert.ok(served.transport.forgotten.includes('new.shop.svc.cluster.local.'));
  });
});
