import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { describe, test } from 'node:test';
import type { Node, Pod } from '@ballast/kube';
import fc from 'fast-check';
import { hostPortsOf } from './host-ports.ts';
import { POD_NETWORKS } from './pod-networks.ts';
import { desiredRoutes, parseRoutes, planRoutes } from './routes.ts';
import { buildRuleset } from './ruleset.ts';

const node = (name: string, ips: string[], podCIDRs: string[]): Node => ({
  metadata: { name },
  spec: { podCIDRs },
  status: { addresses: ips.map((address) => ({ type: 'InternalIP', address })) },
});

describe('routes', () => {
  test('to the pods of every other node, through its address of the same family', () => {
    const nodes = [
      node('self', ['192.0.2.11'], ['10.42.0.0/24']),
      node('both', ['192.0.2.12', '2001:db8::12'], ['10.42.1.0/24', 'fd42:1::/64']),
      node('new', ['192.0.2.13'], []),
      node('odd', ['2001:db8::14'], ['10.42.4.0/24']),
    ];
    assert.deepEqual(desiredRoutes(nodes, 'self'), [
      { destination: '10.42.1.0/24', gateway: '192.0.2.12' },
      { destination: 'fd42:1::/64', gateway: '2001:db8::12' },
    ]);
  });

  test('after the plan is carried out the routes are as desired, and nothing that was right is touched', () => {
    const route = fc.record({ destination: fc.constantFrom('a', 'b', 'c', 'd'), gateway: fc.constantFrom('x', 'y') });
    const routes = fc.uniqueArray(route, { selector: ({ destination }) => destination });
    fc.assert(
      fc.property(routes, routes, (current, desired) => {
        const { put, remove } = planRoutes(current, desired);
        const table = new Map<string, string>(current.map((one) => [one.destination, one.gateway]));
        for (const one of remove) table.delete(one.destination);
        for (const one of put) table.set(one.destination, one.gateway);
        const wanted = desired.map((one) => `${one.destination} ${one.gateway}`).toSorted();
        assert.deepEqual(Array.from(table, ([to, via]) => `${to} ${via}`).toSorted(), wanted);
        for (const one of put)
          assert.ok(!current.some((old) => old.destination === one.destination && old.gateway === one.gateway));
      }),
    );
  });

  test('output of ip-route', () => {
    assert.deepEqual(parseRoutes('[{"dst":"10.42.1.0/24","gateway":"192.0.2.12","dev":"eth0"},{"dst":"x"}]'), [
      { destination: '10.42.1.0/24', gateway: '192.0.2.12' },
    ]);
    assert.deepEqual(parseRoutes(''), []);
  });
});

describe('host ports', () => {
  const pod = (name: string, hostPort: number, podIp: string, created: string, over: object = {}): Pod => ({
    metadata: { name, creationTimestamp: created },
    spec: { containers: [{ name: 'main', ports: [{ containerPort: 80, hostPort, ...over }] }] },
    status: { phase: 'Running', podIPs: [{ ip: podIp }] },
  });

  test('of two pods that want the same port the older one has it', () => {
    const ports = hostPortsOf([pod('b', 8080, '10.42.0.3', '2026-01-02'), pod('a', 8080, '10.42.0.2', '2026-01-01')]);
    assert.deepEqual(ports, [
      { protocol: 'tcp', hostIp: undefined, hostPort: 8080, podIp: '10.42.0.2', containerPort: 80 },
    ]);
  });

  test('pods that have ended, or have no address, have no host port', () => {
    const ended = pod('a', 8080, '10.42.0.2', '1');
    ended.status = { ...ended.status, phase: 'Failed' };
    const waiting = pod('b', 8081, '10.42.0.2', '1');
    waiting.status = {};
    assert.deepEqual(hostPortsOf([ended, waiting]), []);
  });
});

describe('ruleset', () => {
  const input = {
    podCidrs: ['10.42.0.0/24', 'fd42::/64'],
    clusterDestinations: ['10.42.0.0/16', '10.43.0.0/16', '192.0.2.11', '192.0.2.11', 'fd42::/48'],
    hostPorts: [
      { protocol: 'tcp' as const, hostIp: undefined, hostPort: 8080, podIp: '10.42.0.2', containerPort: 80 },
      { protocol: 'udp' as const, hostIp: '192.0.2.11', hostPort: 53, podIp: '10.42.0.3', containerPort: 5353 },
      { protocol: 'tcp' as const, hostIp: undefined, hostPort: 8080, podIp: 'fd42::2', containerPort: 80 },
    ],
  };

  test('masquerade for pods that leave the cluster, translation for host ports', () => {
    const text = buildRuleset(input);
    assert.match(text, /ip saddr 10\.42\.0\.0\/24 ip daddr != @cluster4 masquerade fully-random/);
    assert.match(text, /ip6 saddr fd42::\/64 ip6 daddr != @cluster6 masquerade fully-random/);
    assert.match(text, /meta nfproto ipv4 tcp dport 8080 dnat ip to 10\.42\.0\.2:80\n/);
    assert.match(text, /ip daddr 192\.0\.2\.11 udp dport 53 dnat ip to 10\.42\.0\.3:5353\n/);
    assert.match(text, /tcp dport 8080 dnat ip6 to \[fd42::2\]:80\n/);
  });

  test('nft accepts it, with and without content', { skip: process.getuid?.() !== 0 ? 'needs root' : false }, () => {
    for (const one of [input, { podCidrs: [], clusterDestinations: [], hostPorts: [] }]) {
      const result = spawnSync('unshare', ['--net', 'nft', '-f', '-'], { input: buildRuleset(one), encoding: 'utf8' });
      assert.equal(result.status, 0, result.stderr);
    }
  });
});

test('every pod network is in the CNI configuration with the ranges of the node', () => {
  for (const network of POD_NETWORKS) {
    const plugins = JSON.stringify(network.cniPlugins({ podCidrs: ['10.42.0.0/24'], dataDir: '/data' }));
    assert.match(plugins, /"subnet":"10\.42\.0\.0\/24"/);
    assert.match(plugins, /"dataDir":"\/data"/);
  }
});
