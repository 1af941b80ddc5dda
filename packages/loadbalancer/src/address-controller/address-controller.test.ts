import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { MetricsRegistry, silentLogger, systemClock } from '@ballast/base';
import { EVENTS, FakeClient, NAMESPACES, SECRETS, SERVICES, type Service } from '@ballast/kube';
import { POOL_ANNOTATION } from '../allocation/service-request.ts';
import { CONFIGURATION_STATES, IP_ADDRESS_POOLS, type IpAddressPool, METALLB_NAMESPACE } from '../resources/kinds.ts';
import { startAddressController } from './address-controller.ts';

class World implements AsyncDisposable {
  readonly client = new FakeClient();
  readonly metrics = new MetricsRegistry();
  #controller: ReturnType<typeof startAddressController> | undefined;

  start(loadBalancerClass?: string): void {
    this.#controller = startAddressController({
      client: this.client,
      logger: silentLogger,
      clock: systemClock,
      metrics: this.metrics,
      ...(loadBalancerClass === undefined ? {} : { loadBalancerClass }),
    });
  }

  async restart(): Promise<void> {
    await this[Symbol.asyncDispose]();
    this.#controller = startAddressController({
      client: this.client,
      logger: silentLogger,
      clock: systemClock,
      metrics: new MetricsRegistry(),
    });
  }

  async pool(name: string, addresses: string[], more: Partial<IpAddressPool['spec']> = {}): Promise<void> {
    await this.client.create(IP_ADDRESS_POOLS, {
      metadata: { name, namespace: METALLB_NAMESPACE },
      spec: { addresses, ...more },
    });
  }

  async service(
    name: string,
    spec: Partial<NonNullable<Service['spec']>> = {},
    annotations: Record<string, string> = {},
  ): Promise<void> {
    await this.client.create(SERVICES, {
      metadata: { name, namespace: 'default', annotations },
      spec: {
        type: 'LoadBalancer',
        clusterIP: '10.43.0.9',
        clusterIPs: ['10.43.0.9'],
        ports: [{ port: 80, protocol: 'TCP' }],
        ...spec,
      },
    });
  }

  async change(name: string, body: object): Promise<void> {
    await this.client.patch(SERVICES, { namespace: 'default', name }, { type: 'merge', body });
  }

  async addressOf(name: string): Promise<string> {
    const service = await this.client.find(SERVICES, { namespace: 'default', name });
    return (service?.status?.loadBalancer?.ingress ?? []).map((entry) => entry.ip).join(',');
  }

  /** Waits until a Service has this address ('' for none). */
  async expect(name: string, address: string): Promise<void> {
    await eventually(
      () => this.addressOf(name),
      (answer) => answer === address,
      `${name} has ${address}`,
    );
  }

  async events(reason: string): Promise<string[]> {
    const list = await this.client.list(EVENTS);
    return list.items.filter((event) => event.reason === reason).map((event) => event.message ?? '');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#controller?.[Symbol.asyncDispose]();
  }
}

async function eventually<T>(ask: () => Promise<T>, check: (answer: T) => boolean, what: string): Promise<T> {
  for (let attempt = 0; ; attempt++) {
    const answer = await ask();
    if (check(answer)) return answer;
    if (attempt > 400) assert.fail(`not so: ${what}; it is ${JSON.stringify(answer)}`);
    await systemClock.sleep(5);
  }
}

/** Long enough for anything that is going to happen to have happened. */
const quiet = async () => {
  for (let i = 0; i < 6; i++) await systemClock.sleep(5);
};

describe('address controller', () => {
  test("a Service gets the first address, the pool annotation and an event in MetalLB's words", async () => {
    await using world = new World();
    await world.pool('lan', ['192.0.2.200-192.0.2.250']);
    world.start();
    await world.service('web');
    await world.expect('web', '192.0.2.200');
    const service = await eventually(
      () => world.client.get(SERVICES, { namespace: 'default', name: 'web' }),
      (object) => object.metadata.annotations?.[POOL_ANNOTATION] === 'lan',
      'annotated',
    );
    assert.ok(service);
    await eventually(
      () => world.events('IPAllocated'),
      (messages) => messages.includes('Assigned IP ["192.0.2.200"]'),
      'event',
    );
  });

  test('A10: a Service of another class is left alone; with a class, only those of it are served', async () => {
    await using world = new World();
    await world.pool('lan', ['192.0.2.200-192.0.2.250']);
    world.start();
    await world.service('other', { loadBalancerClass: 'example.com/lb' });
    await world.service('web');
    await world.expect('web', '192.0.2.200');
    assert.equal(await world.addressOf('other'), '');

    await using classy = new World();
    await classy.pool('lan', ['192.0.2.200-192.0.2.250']);
    classy.start('example.com/lb');
    await classy.service('web');
    await classy.service('other', { loadBalancerClass: 'example.com/lb' });
    await classy.expect('other', '192.0.2.200');
    assert.equal(await classy.addressOf('web'), '');
  });

  test('C1, C2: an address that becomes free goes to the Service that waits', async () => {
    await using world = new World();
    await world.pool('one', ['192.0.2.200/32']);
    world.start();
    await world.service('a');
    await world.expect('a', '192.0.2.200');
    await world.service('b');
    await eventually(
      () => world.events('AllocationFailed'),
      (messages) => messages.includes('Failed to allocate IP for "default/b": no available IPs'),
      'told',
    );
    await world.change('a', { spec: { type: 'ClusterIP' } });
    await world.expect('b', '192.0.2.200');
    await world.expect('a', '');
    await world.service('c');
    await world.client.delete(SERVICES, { namespace: 'default', name: 'b' });
    await world.expect('c', '192.0.2.200');
  });

  test('C3: addresses survive a restart, whatever the order of events', async () => {
    await using world = new World();
    await world.pool('lan', ['192.0.2.200-192.0.2.250']);
    world.start();
    for (const name of ['a', 'b', 'c', 'd']) {
      await world.service(name);
      await eventually(
        () => world.addressOf(name),
        (address) => address !== '',
        name,
      );
    }
    await world.client.delete(SERVICES, { namespace: 'default', name: 'a' });
    const before = await Promise.all(['b', 'c', 'd'].map((name) => world.addressOf(name)));
    await quiet();
    await world[Symbol.asyncDispose]();
    await world.service('a');
    await world.restart();
    await world.expect('a', '192.0.2.200');
    assert.deepEqual(await Promise.all(['b', 'c', 'd'].map((name) => world.addressOf(name))), before);
  });

  test('C4: sharing lasts as long as both may', async () => {
    await using world = new World();
    await world.pool('lan', ['192.0.2.200-192.0.2.250']);
    world.start();
    const share = { 'metallb.io/allow-shared-ip': 'k', 'metallb.io/loadBalancerIPs': '192.0.2.210' };
    await world.service('a', { selector: { app: 'web' } }, share);
    await world.service('b', { selector: { app: 'web' }, ports: [{ port: 81, protocol: 'TCP' }] }, share);
    await world.expect('a', '192.0.2.210');
    await world.expect('b', '192.0.2.210');
    await world.change('b', { spec: { externalTrafficPolicy: 'Local' } });
    await world.expect('b', '');
    await world.expect('a', '192.0.2.210');
    await world.change('a', { spec: { externalTrafficPolicy: 'Local' } });
    await world.expect('a', '192.0.2.210');
    await world.expect('b', '192.0.2.210');
  });

  test('C5, C6: a pool that goes takes its addresses along; with another pool there, Services move', async () => {
    await using world = new World();
    await world.pool('a', ['192.0.2.200/32']);
    world.start();
    await world.service('web');
    await world.expect('web', '192.0.2.200');
    await world.pool('b', ['192.0.2.100/32']);
    await quiet();
    await world.expect('web', '192.0.2.200');
    await world.client.delete(IP_ADDRESS_POOLS, { namespace: METALLB_NAMESPACE, name: 'a' });
    await world.expect('web', '192.0.2.100');
    await world.client.delete(IP_ADDRESS_POOLS, { namespace: METALLB_NAMESPACE, name: 'b' });
    await world.expect('web', '');
  });

  test('a wish that cannot be met does not cost the address that works', async () => {
    await using world = new World();
    await world.pool('lan', ['192.0.2.200-192.0.2.201']);
    world.start();
    await world.service('a');
    await world.expect('a', '192.0.2.200');
    await world.service('b');
    await world.expect('b', '192.0.2.201');
    await world.change('b', { metadata: { annotations: { 'metallb.io/loadBalancerIPs': '192.0.2.200' } } });
    await eventually(
      () => world.events('AllocationFailed'),
      (messages) => messages.some((text) => text.includes('192.0.2.201 is kept until then')),
      'told',
    );
    assert.equal(await world.addressOf('b'), '192.0.2.201');
    await world.client.delete(SERVICES, { namespace: 'default', name: 'a' });
    await world.change('b', { metadata: { labels: { nudge: '1' } } });
    await world.expect('b', '192.0.2.200');
  });

  test('requested addresses by annotation of either prefix and by spec; both at once are refused', async () => {
    await using world = new World();
    await world.pool('lan', ['192.0.2.200-192.0.2.250']);
    world.start();
    await world.service('new', {}, { 'metallb.io/loadBalancerIPs': '192.0.2.220' });
    await world.service('old', {}, { 'metallb.universe.tf/loadBalancerIPs': '192.0.2.221' });
    await world.service('spec', { loadBalancerIP: '192.0.2.222' });
    await world.service('both', { loadBalancerIP: '192.0.2.223' }, { 'metallb.io/loadBalancerIPs': '192.0.2.224' });
    await world.service('wrong', {}, { 'metallb.io/loadBalancerIPs': '2001:db8::1' });
    await world.expect('new', '192.0.2.220');
    await world.expect('old', '192.0.2.221');
    await world.expect('spec', '192.0.2.222');
    await eventually(
      () => world.events('LoadBalancerFailed'),
      (messages) => messages.length === 1,
      'refused',
    );
    await eventually(
      () => world.events('nolbIPsIPFamily'),
      (messages) => messages.length === 1,
      'refused',
    );
    assert.equal(await world.addressOf('both'), '');
  });

  test('C16: the counters of a pool follow, and a hand edit is reverted', async () => {
    await using world = new World();
    await world.pool('lan', ['192.0.2.0/24']);
    world.start();
    const status = async () =>
      (await world.client.get(IP_ADDRESS_POOLS, { namespace: METALLB_NAMESPACE, name: 'lan' })).status;
    await eventually(status, (now) => now?.availableIPv4 === 256, 'counted');
    await world.service('web');
    await eventually(status, (now) => now?.assignedIPv4 === 1 && now.availableIPv4 === 255, 'counted');
    await world.client.patch(
      IP_ADDRESS_POOLS,
      { namespace: METALLB_NAMESPACE, name: 'lan' },
      { type: 'merge', body: { status: { assignedIPv4: 99 } } },
      { subresource: 'status' },
    );
    await eventually(status, (now) => now?.assignedIPv4 === 1, 'reverted');
    assert.match(world.metrics.expose(), /metallb_allocator_addresses_in_use_total\{pool="lan"\} 1\n/);
    assert.match(world.metrics.expose(), /metallb_allocator_addresses_total\{pool="lan"\} 256\n/);
  });

  test('one bad pool is named in the state and in an event, and stops no other', async () => {
    await using world = new World();
    await world.pool('bad', ['nonsense']);
    await world.pool('good', ['192.0.2.200/32']);
    world.start();
    await world.service('web');
    await world.expect('web', '192.0.2.200');
    const state = () => world.client.find(CONFIGURATION_STATES, { namespace: METALLB_NAMESPACE, name: 'controller' });
    const invalid = await eventually(state, (object) => object?.status?.result === 'Invalid', 'invalid');
    assert.equal(invalid?.status?.errorSummary, 'IPAddressPool bad: invalid CIDR or range "nonsense"');
    assert.equal(invalid.status.conditions?.[0]?.type, 'poolReconcilerValid');
    await eventually(
      () => world.events('ConfigurationError'),
      (messages) => messages.length === 1,
      'told',
    );
    await world.client.delete(IP_ADDRESS_POOLS, { namespace: METALLB_NAMESPACE, name: 'bad' });
    await eventually(state, (object) => object?.status?.result === 'Valid', 'valid');
    await world.client.delete(CONFIGURATION_STATES, { namespace: METALLB_NAMESPACE, name: 'controller' });
    await eventually(state, (object) => object?.status?.result === 'Valid', 'H9i: made again');
  });

  test('C8: labels of a namespace steer its Services', async () => {
    await using world = new World();
    await world.client.create(NAMESPACES, { metadata: { name: 'default' } });
    await world.pool('a', ['192.0.2.200/32'], {
      serviceAllocation: { namespaceSelectors: [{ matchLabels: { tier: 'gold' } }] },
    });
    await world.pool('b', ['192.0.2.100-192.0.2.110']);
    world.start();
    await world.service('x');
    await world.expect('x', '192.0.2.100');
    await world.client.patch(
      NAMESPACES,
      { name: 'default' },
      { type: 'merge', body: { metadata: { labels: { tier: 'gold' } } } },
    );
    await quiet();
    await world.service('y');
    await world.expect('y', '192.0.2.200');
    await world.expect('x', '192.0.2.100');
  });

  test('the key of the speakers is made once', async () => {
    await using world = new World();
    world.start();
    const secret = () => world.client.find(SECRETS, { namespace: METALLB_NAMESPACE, name: 'ballast-memberlist' });
    const made = await eventually(secret, (object) => object !== undefined, 'made');
    assert.equal(Buffer.from(made?.data?.secretkey ?? '', 'base64').length, 32);
    await world.restart();
    await quiet();
    assert.equal((await secret())?.data?.secretkey, made?.data?.secretkey);
  });

  test('when nothing changes, nothing is written', async () => {
    await using world = new World();
    await world.pool('lan', ['192.0.2.200-192.0.2.250']);
    world.start();
    await world.service('web');
    await world.expect('web', '192.0.2.200');
    for (let i = 0; i < 40; i++) await systemClock.sleep(5);
    const writes = world.client.writes.length;
    await world.change('web', { metadata: { labels: { a: 'b' } } });
    for (let i = 0; i < 40; i++) await systemClock.sleep(5);
    assert.deepEqual(world.client.writes.slice(writes + 1), []);
  });
});
