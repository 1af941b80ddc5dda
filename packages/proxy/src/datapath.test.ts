import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { SERVICES, type Service } from '@ballast/kube';
import { at, eventually, TestCluster, tally } from './testbed/cluster.ts';
import { CLIENT_IP, type HostName, NODE_IP, podIp, TestNetwork } from './testbed/network.ts';

/** Real packets through the real kernel, in network namespaces of their own. */
describe('datapath', { skip: process.getuid?.() === 0 ? false : 'needs root for network namespaces' }, () => {
  let network: TestNetwork;
  let cluster: TestCluster;

  before(async () => {
    network = await TestNetwork.create();
    cluster = new TestCluster(network.netns('node'));
    await cluster.start();
  });
  after(async () => {
    await cluster?.[Symbol.asyncDispose]();
    await network?.[Symbol.asyncDispose]();
  });

  const tcp = (from: HostName, host: string, port = 80, times = 1, timeoutMs = 1000) =>
    network.order(from, { op: 'tcp', host, port, times, timeoutMs });
  const udp = (from: HostName, host: string, port: number, options: { from?: string; timeoutMs?: number } = {}) =>
    network.order(from, { op: 'udp', host, port, times: 1, ...options }).then((results) => results[0] ?? '');
  const first = async (from: HostName, host: string, port = 80, timeoutMs = 1000) =>
    (await tcp(from, host, port, 1, timeoutMs))[0] ?? '';
  /** Waits until a first answer is as wanted; new Services take a few milliseconds. */
  const until = (from: HostName, host: string, port: number, wanted: RegExp) =>
    eventually(
      () => first(from, host, port, 300),
      (result) => wanted.test(result),
    );

  test('ClusterIP: reached from a pod, which keeps its address, and from the node', async () => {
    await cluster.put('web', { clusterIP: '10.43.0.1' }, [at('pod-1')]);
    assert.equal(await until('pod-2', '10.43.0.1', 80, /pod-1/), `pod-1 ${podIp('pod-2')}`);
    assert.match(await first('node', '10.43.0.1'), /^pod-1 /);
  });

  test('ClusterIP: from outside the cluster the source becomes the node', async () => {
    assert.equal(await until('client', '10.43.0.1', 80, /pod-1/), 'pod-1 10.42.0.1');
  });

  test('ClusterIP: a pod reaches itself (hairpin)', async () => {
    assert.equal(await until('pod-1', '10.43.0.1', 80, /pod-1/), 'pod-1 10.42.0.1');
  });

  test('ClusterIP: endpoints in the host network, as the API server is, are reached from the node itself, pods and outside', async () => {
    await cluster.put('kubernetes', { clusterIP: '10.43.0.9', ports: [{ port: 443 }] }, [
      { ip: NODE_IP, node: 'node-a' },
    ]);
    for (const from of ['node', 'pod-1', 'client'] as const) {
      assert.match(await until(from, '10.43.0.9', 443, /^node/), /^node /, from);
    }
  });

  test('ClusterIP: connections spread evenly over the endpoints', async () => {
    await cluster.put('spread', { clusterIP: '10.43.0.2' }, [at('pod-1'), at('pod-2'), at('pod-3')]);
    await until('client', '10.43.0.2', 80, /pod/);
    const counts = tally((await tcp('client', '10.43.0.2', 80, 600)).map((line) => line.split(' ')[0] ?? ''));
    // 200 expected each; a deviation of 60 has a chance below 1 in 10^6.
    for (const pod of ['pod-1', 'pod-2', 'pod-3'])
      assert.ok(Math.abs((counts[pod] ?? 0) - 200) < 60, JSON.stringify(counts));
  });

  test('ClusterIP over IPv6', async () => {
    const spec = { clusterIP: 'fd43::1', clusterIPs: ['fd43::1'] };
    await cluster.put('six', spec, [at('pod-1', { family: 6 })], { slice: { family: 6 } });
    assert.equal(await until('pod-2', 'fd43::1', 80, /pod-1/), `pod-1 ${podIp('pod-2', 6)}`);
    assert.match(await until('client', 'fd43::1', 80, /pod-1/), /^pod-1 fd42::1$/);
  });

  test('UDP: reached, and with a port of its own behind the same number', async () => {
    const spec = { clusterIP: '10.43.0.3', ports: [{ port: 53, protocol: 'UDP' as const }] };
    await cluster.put('dns', spec, [at('pod-1')], { slice: { protocol: 'UDP' } });
    assert.equal(
      await eventually(
        () => udp('pod-2', '10.43.0.3', 53, { timeoutMs: 300 }),
        (result) => /pod-1/.test(result),
      ),
      `pod-1 ${podIp('pod-2')}`,
    );
    assert.equal(await first('pod-2', '10.43.0.3', 53), 'ECONNREFUSED');
  });

  test('no endpoints: TCP and UDP are refused, from pods, the node and outside', async () => {
    const ports = [
      { name: 'a', port: 80 },
      { name: 'b', port: 53, protocol: 'UDP' as const },
    ];
    await cluster.put('empty', { clusterIP: '10.43.0.4', ports }, []);
    for (const from of ['pod-1', 'node', 'client'] as const) {
      assert.equal(await until(from, '10.43.0.4', 80, /ECONNREFUSED/), 'ECONNREFUSED', from);
      assert.equal(await udp(from, '10.43.0.4', 53), 'ECONNREFUSED', from);
    }
  });

  test('unknown ports of a ClusterIP are refused, addresses that no Service has are dropped', async () => {
    assert.equal(await first('pod-1', '10.43.0.1', 81), 'ECONNREFUSED');
    assert.equal(await first('pod-1', '10.43.9.9', 80, 200), 'TIMEOUT');
  });

  test('NodePort: reached on the address of the node from outside, from pods and from the node, not on localhost', async () => {
    await cluster.put('np', { type: 'NodePort', clusterIP: '10.43.0.5', ports: [{ port: 80, nodePort: 30080 }] }, [
      at('pod-1'),
    ]);
    assert.equal(await until('client', NODE_IP, 30080, /pod-1/), 'pod-1 10.42.0.1');
    assert.match(await first('pod-2', NODE_IP, 30080), /^pod-1/);
    assert.match(await first('node', NODE_IP, 30080), /^pod-1/);
    assert.equal(await first('node', '127.0.0.1', 30080), 'ECONNREFUSED');
    assert.equal(await first('client', NODE_IP, 30081), 'ECONNREFUSED');
  });

  const balancer = (ip: string, fields: Service['spec'] = {}): [Service['spec'], Partial<Service>] => [
    { type: 'LoadBalancer', clusterIP: `10.43.1.${ip.split('.').at(-1)}`, ...fields },
    { status: { loadBalancer: { ingress: [{ ip, ipMode: 'VIP' }] } } },
  ];

  test('LoadBalancer, policy Cluster: reached from outside (masqueraded), pods (source kept) and the node', async () => {
    const [spec, rest] = balancer('192.0.2.200');
    await cluster.put('lb', spec, [at('pod-1', { node: 'node-b' })], rest);
    assert.equal(await until('client', '192.0.2.200', 80, /pod-1/), 'pod-1 10.42.0.1');
    assert.equal(await first('pod-2', '192.0.2.200'), `pod-1 ${podIp('pod-2')}`);
    assert.match(await first('node', '192.0.2.200'), /^pod-1/);
  });

  test('LoadBalancer: other ports of its address are refused instead of going round in circles', async () => {
    assert.equal(await first('client', '192.0.2.200', 81), 'ECONNREFUSED');
  });

  test('LoadBalancer, policy Local: only local endpoints, and the source is kept', async () => {
    const [spec, rest] = balancer('192.0.2.201', { externalTrafficPolicy: 'Local' });
    await cluster.put('local', spec, [at('pod-1'), at('pod-2', { node: 'node-b' })], rest);
    await until('client', '192.0.2.201', 80, /pod/);
    assert.deepEqual(tally(await tcp('client', '192.0.2.201', 80, 20)), { [`pod-1 ${CLIENT_IP}`]: 20 });
  });

  test('LoadBalancer, policy Local: pods and the node are served by every endpoint', async () => {
    for (const from of ['pod-3', 'node'] as const) {
      const names = new Set((await tcp(from, '192.0.2.201', 80, 40)).map((line) => line.split(' ')[0]));
      assert.deepEqual([...names].toSorted(), ['pod-1', 'pod-2'], from);
    }
  });

  test('LoadBalancer, policy Local without local endpoints: silence outside, service inside', async () => {
    const [spec, rest] = balancer('192.0.2.202', { externalTrafficPolicy: 'Local' });
    await cluster.put('elsewhere', spec, [at('pod-2', { node: 'node-b' })], rest);
    assert.match(await until('pod-1', '192.0.2.202', 80, /pod-2/), /^pod-2/);
    assert.equal(await first('client', '192.0.2.202', 80, 200), 'TIMEOUT');
  });

  test('internalTrafficPolicy Local: local endpoints only, dropped when there are none', async () => {
    const spec = { clusterIP: '10.43.0.6', internalTrafficPolicy: 'Local' as const };
    await cluster.put('itp', spec, [at('pod-1'), at('pod-2', { node: 'node-b' })]);
    await until('pod-3', '10.43.0.6', 80, /pod/);
    assert.deepEqual(tally(await tcp('pod-3', '10.43.0.6', 80, 10)), { [`pod-1 ${podIp('pod-3')}`]: 10 });
    await cluster.put('itp', spec, [at('pod-2', { node: 'node-b' })]);
    assert.equal(await until('pod-3', '10.43.0.6', 80, /TIMEOUT/), 'TIMEOUT');
  });

  test('externalIPs are reached', async () => {
    await cluster.put('ext', { clusterIP: '10.43.0.7', externalIPs: ['203.0.113.7'] }, [at('pod-1')]);
    assert.match(await until('client', '203.0.113.7', 80, /pod-1/), /^pod-1/);
  });

  test('source ranges: others are dropped at the address of the balancer, not at the ClusterIP', async () => {
    const [open, rest] = balancer('192.0.2.203', { loadBalancerSourceRanges: ['192.0.2.0/28', '10.42.0.2/32'] });
    await cluster.put('fenced', open, [at('pod-3')], rest);
    assert.match(await until('client', '192.0.2.203', 80, /pod-3/), /^pod-3/);
    assert.match(await first('pod-1', '192.0.2.203'), /^pod-3/);
    assert.equal(await first('pod-2', '192.0.2.203', 80, 200), 'TIMEOUT');
    assert.match(await first('pod-2', '10.43.1.203'), /^pod-3/);
    assert.match(await first('node', '192.0.2.203'), /^pod-3/);
  });

  test('topology: with hints for every endpoint, those of this node are preferred', async () => {
    const hints = (node: string) => ({ node, forNodes: [node], forZones: ['zone-1'] });
    await cluster.put('near', { clusterIP: '10.43.0.8' }, [at('pod-1', hints('node-b')), at('pod-2', hints('node-a'))]);
    await until('pod-3', '10.43.0.8', 80, /pod/);
    assert.deepEqual(tally(await tcp('pod-3', '10.43.0.8', 80, 10)), { [`pod-2 ${podIp('pod-3')}`]: 10 });
  });

  test('ClientIP affinity: a client stays with its endpoint, and moves only when that is gone', async () => {
    const spec = {
      clusterIP: '10.43.0.20',
      sessionAffinity: 'ClientIP' as const,
      sessionAffinityConfig: { clientIP: { timeoutSeconds: 600 } },
    };
    await cluster.put('sticky', spec, [at('pod-1'), at('pod-2'), at('pod-3')]);
    const chosen = (await until('client', '10.43.0.20', 80, /pod/)).split(' ')[0] ?? '';
    assert.deepEqual(Object.keys(tally(await tcp('client', '10.43.0.20', 80, 20))), [`${chosen} 10.42.0.1`]);
    const others = (['pod-1', 'pod-2', 'pod-3'] as const).filter((pod) => pod !== chosen);
    await cluster.put(
      'sticky',
      spec,
      others.map((pod) => at(pod)),
    );
    const moved = await until('client', '10.43.0.20', 80, new RegExp(others.join('|')));
    assert.ok(
      others.some((pod) => moved.startsWith(pod)),
      moved,
    );
    assert.deepEqual(Object.keys(tally(await tcp('client', '10.43.0.20', 80, 20))), [moved]);
  });

  test('ClientIP affinity over IPv6', async () => {
    const spec = { clusterIP: 'fd43::20', clusterIPs: ['fd43::20'], sessionAffinity: 'ClientIP' as const };
    const endpoints = [at('pod-1', { family: 6 }), at('pod-2', { family: 6 }), at('pod-3', { family: 6 })];
    await cluster.put('sticky-six', spec, endpoints, { slice: { family: 6 } });
    const chosen = await until('client', 'fd43::20', 80, /pod/);
    assert.deepEqual(tally(await tcp('client', 'fd43::20', 80, 20)), { [chosen]: 20 });
  });

  test('ClientIP affinity: ends after its time', async () => {
    const spec = {
      clusterIP: '10.43.0.21',
      sessionAffinity: 'ClientIP' as const,
      sessionAffinityConfig: { clientIP: { timeoutSeconds: 1 } },
    };
    await cluster.put('brief', spec, [at('pod-1'), at('pod-2'), at('pod-3')]);
    await until('client', '10.43.0.21', 80, /pod/);
    const seen = new Set<string>();
    for (let i = 0; i < 8 && seen.size < 2; i++) {
      seen.add(await first('client', '10.43.0.21'));
      await new Promise((resolve) => setTimeout(resolve, 1300));
    }
    assert.ok(seen.size > 1, 'the same endpoint after each of 8 pauses');
  });

  test('removing an endpoint leaves established connections of the others, and its own, alone', async () => {
    await cluster.put('flow', { clusterIP: '10.43.0.22' }, [at('pod-1'), at('pod-2')]);
    await until('client', '10.43.0.22', 80, /pod/);
    const held: string[] = [];
    for (let i = 0; i < 8; i++) {
      held.push(...(await network.order('client', { op: 'hold', host: '10.43.0.22', port: 80, as: `flow-${i}` })));
    }
    await cluster.put('flow', { clusterIP: '10.43.0.22' }, [at('pod-2')]);
    await eventually(
      () => tcp('client', '10.43.0.22', 80, 10),
      (lines) => lines.every((line) => line.startsWith('pod-2')),
    );
    for (const [i, before] of held.entries()) {
      assert.deepEqual(await network.order('client', { op: 'say', as: `flow-${i}` }), [before]);
    }
  });

  test('UDP: a client that keeps its socket moves on when its endpoint goes, and is refused when all are gone', async () => {
    const spec = { clusterIP: '10.43.0.23', ports: [{ port: 53, protocol: 'UDP' as const }] };
    const options = { slice: { protocol: 'UDP' as const } };
    await cluster.put('quic', spec, [at('pod-1')], options);
    const ask = () => udp('client', '10.43.0.23', 53, { from: 'quic', timeoutMs: 300 });
    assert.match(await eventually(ask, (line) => line.startsWith('pod-1')), /^pod-1/);
    await cluster.put('quic', spec, [at('pod-2')], options);
    assert.match(await eventually(ask, (line) => line.startsWith('pod-2')), /^pod-2/);
    await cluster.put('quic', spec, [], options);
    assert.equal(await eventually(ask, (line) => line === 'ECONNREFUSED'), 'ECONNREFUSED');
  });

  test('a Service that goes is gone from the kernel', async () => {
    await cluster.client.delete(SERVICES, { namespace: 'default', name: 'ext' });
    await eventually(
      () => network.exec('node', 'nft', 'list', 'map', 'ip', 'ballast-proxy', 'frontends'),
      (text) => !text.includes('203.0.113.7'),
    );
    assert.ok(!(await network.exec('node', 'nft', 'list', 'ruleset')).includes('203.0.113.7'));
  });

  test('a table that somebody flushed or deleted comes back', async () => {
    await network.exec('node', 'nft', 'flush', 'map', 'ip', 'ballast-proxy', 'endpoints');
    await cluster.put('spread', { clusterIP: '10.43.0.2' }, [at('pod-1'), at('pod-2')]);
    assert.match(await until('client', '10.43.0.1', 80, /pod/), /^pod-1/);
    await network.exec('node', 'nft', 'delete', 'table', 'ip', 'ballast-proxy');
    await cluster.put('spread', { clusterIP: '10.43.0.2' }, [at('pod-1'), at('pod-3')]);
    assert.match(await until('client', '10.43.0.1', 80, /pod/), /^pod-1/);
    assert.match(await until('client', NODE_IP, 30080, /pod/), /^pod-1/);
  });
});
