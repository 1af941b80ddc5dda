import assert from 'node:assert/strict';
import { test } from 'node:test';
import { NODES, SERVICES, type Service } from '@ballast/kube';
import { addressObjects, helloDeployment, helloService, yamlOf } from '../manifests.ts';
import { eventually, type Stage } from '../stage.ts';

/** The external address of a LoadBalancer Service of namespace default, once it has one. */
export async function externalAddress(stage: Stage, name: string): Promise<string> {
  return eventually(async () => {
    const service: Service = await stage.client.get(SERVICES, { namespace: 'default', name });
    const ip = service.status?.loadBalancer?.ingress?.[0]?.ip;
    assert.ok(ip, `Service ${name} has no external address`);
    return ip;
  });
}

interface Route {
  readonly nexthops: readonly { readonly ip: string; readonly fib?: boolean }[];
}

/** The next hops that FRR has installed for an address. */
export async function nextHops(stage: Stage, address: string): Promise<string[]> {
  const routes = JSON.parse(await stage.on('router', 'vtysh', '-c', `show ip route ${address}/32 json`)) as Record<
    string,
    Route[]
  >;
  return (routes[`${address}/32`] ?? [])
    .flatMap(({ nexthops }) => nexthops.filter(({ fib }) => fib).map(({ ip }) => ip))
    .sort();
}

/** What `npm start` shows, as tests. */
export function claims(stage: () => Stage): void {
  test('all nodes become Ready', async () => {
    await eventually(async () => {
      const { items } = await stage().client.list(NODES);
      const ready = items.filter((node) =>
        node.status?.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True'),
      );
      assert.deepEqual(ready.map(({ metadata }) => metadata.name).sort(), [...stage().nodes].sort());
    });
  });

  test('the sample app runs and its Service gets an address of the pool', async () => {
    await stage().apply(
      yamlOf(
        ...addressObjects,
        helloDeployment({ name: 'hello', replicas: 3 }),
        helloService({ name: 'hello', app: 'hello', spec: { type: 'LoadBalancer' } }),
      ),
    );
    await stage().kubectl('rollout', 'status', 'deployment/hello', '--timeout=90s');
    assert.match(await externalAddress(stage(), 'hello'), /^192\.0\.2\.2\d\d$/);
  });

  test('the LAN client reaches every pod through ARP, and the announcing node owns the address', async () => {
    const address = await externalAddress(stage(), 'hello');
    const pods = new Set<string>();
    await eventually(async () => {
      const answer = await stage().fetchFrom('client', `http://${address}/json/`);
      pods.add(answer.pod);
      assert.equal(pods.size, 3, `only ${[...pods].join(', ')} answered`);
    });
    const neighbour = await stage().on('client', 'ip', 'neigh', 'show', address);
    assert.match(neighbour, /lladdr 02:ba:11:a5:00:(0b|0c|0d)/);
  });

  test('FRR has equal-cost routes to all nodes over BGP', async () => {
    const address = await externalAddress(stage(), 'hello');
    await eventually(async () =>
      assert.deepEqual(await nextHops(stage(), address), ['192.0.2.11', '192.0.2.12', '192.0.2.13']),
    );
  });

  test('dig on the LAN gets the Service’s name from the DNS server behind a LoadBalancer Service', async () => {
    await stage().apply(
      yamlOf({
        apiVersion: 'v1',
        kind: 'Service',
        metadata: { name: 'dns-lan', namespace: 'kube-system', annotations: { 'ballast.dev/endpoints': 'nodes' } },
        spec: {
          type: 'LoadBalancer',
          ports: [
            { name: 'dns', protocol: 'UDP', port: 53, targetPort: 10053 },
            { name: 'dns-tcp', protocol: 'TCP', port: 53, targetPort: 10053 },
          ],
        },
      }),
    );
    const hello = await stage().client.get(SERVICES, { namespace: 'default', name: 'hello' });
    for (const transport of ['+notcp', '+tcp']) {
      await eventually(async () => {
        const service = await stage().client.get(SERVICES, { namespace: 'kube-system', name: 'dns-lan' });
        const server = service.status?.loadBalancer?.ingress?.[0]?.ip;
        assert.ok(server, 'no external address');
        const answer = await stage().on(
          'client',
          'dig',
          '+short',
          '+time=1',
          '+tries=1',
          transport,
          `@${server}`,
          'hello.default.svc.cluster.local',
        );
        assert.equal(answer.trim(), hello.spec?.clusterIP);
      });
    }
  });

  test('a pod finds the Service by its short name and reaches it', async () => {
    const pod = (await stage().kubectl('get', 'pods', '-l', 'app=hello', '-o', 'name')).split('\n')[0] ?? '';
    const answer = await stage().kubectl('exec', pod, '--', 'wget', '-q', '-O', '-', 'http://hello/');
    assert.match(answer, /^Hello from pod hello-/);
  });
}
