import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Pod, PodSpec } from '@ballast/kube';
import fc from 'fast-check';
import { refusalOf } from './admission.ts';
import { containerResources, cpuQuota, cpuShares, oomScoreAdjust } from './cgroup-resources.ts';
import { hostnameOf, hostsFile } from './hosts-file.ts';
import { qosClassOf } from './quality-of-service.ts';
import { formatResolvConf, parseResolvConf, resolverConfig } from './resolver-config.ts';
import { containerSecurityContext, verifyNonRoot } from './security.ts';

const pod = (spec: Partial<PodSpec> = {}, name = 'web-0'): Pod => ({
  metadata: { name, namespace: 'shop', uid: name },
  spec: { containers: [{ name: 'main' }], ...spec },
});

describe('resolv.conf', () => {
  const node = parseResolvConf('# node\nnameserver 192.0.2.1\nsearch lan.example\noptions edns0 ; x\n');
  const of = (spec: Partial<PodSpec>) =>
    formatResolvConf(
      resolverConfig({ pod: pod(spec), node, clusterDns: ['10.43.0.10'], clusterDomain: 'cluster.local' }),
    );

  test('ClusterFirst: the cluster first, the search path of the node behind', () => {
    const expected =
      'search shop.svc.cluster.local svc.cluster.local cluster.local lan.example\nnameserver 10.43.0.10\noptions ndots:5\n';
    assert.equal(of({}), expected);
    assert.equal(of({ hostNetwork: true, dnsPolicy: 'ClusterFirstWithHostNet' }), expected);
  });

  test('Default, and ClusterFirst in the network of the node: as the node', () => {
    const expected = 'search lan.example\nnameserver 192.0.2.1\noptions edns0\n';
    assert.equal(of({ dnsPolicy: 'Default' }), expected);
    assert.equal(of({ hostNetwork: true }), expected);
  });

  test('None and dnsConfig: what the pod says, options replaced by name', () => {
    const dnsConfig = {
      nameservers: ['9.9.9.9'],
      searches: ['a.b'],
      options: [{ name: 'ndots', value: '2' }, { name: 'rotate' }],
    };
    assert.equal(of({ dnsPolicy: 'None', dnsConfig }), 'search a.b\nnameserver 9.9.9.9\noptions ndots:2 rotate\n');
    assert.match(of({ dnsConfig }), /options ndots:2 rotate\n$/);
  });

  test('limits: 3 servers, 32 search domains, 2048 characters', () => {
    const nameservers = ['1.1.1.1', '1.1.1.2', '1.1.1.3', '1.1.1.4'];
    const searches = Array.from({ length: 40 }, (_, i) => `${'d'.repeat(60)}.${i}`);
    const lines = of({ dnsPolicy: 'None', dnsConfig: { nameservers, searches } }).split('\n');
    assert.equal(lines.filter((line) => line.startsWith('nameserver')).length, 3);
    assert.ok((lines[0] ?? '').length <= 2048 + 'search '.length);
  });

  test('any file parses', () => {
    fc.assert(fc.property(fc.string(), (text) => void parseResolvConf(text)));
  });
});

test('/etc/hosts: the pod by its names, and its aliases', () => {
  const spec = { hostname: 'busy', subdomain: 'sub', hostAliases: [{ ip: '192.0.2.5', hostnames: ['a', 'b'] }] };
  const text = hostsFile({ pod: pod(spec), podIps: ['10.42.0.2'], clusterDomain: 'cluster.local', nodeHosts: '' });
  assert.match(text, /^# Kubernetes-managed hosts file\.\n127\.0\.0\.1\tlocalhost\n/);
  assert.match(text, /\n10\.42\.0\.2\tbusy\.sub\.shop\.svc\.cluster\.local\tbusy\n/);
  assert.match(text, /\n192\.0\.2\.5\ta\tb\n$/);
  assert.equal(hostnameOf(pod({}, `${'a'.repeat(62)}-b`)), 'a'.repeat(62));
});

describe('resources', () => {
  const resources = (limits?: Record<string, string>, requests?: Record<string, string>) =>
    pod({ containers: [{ name: 'main', resources: { ...(limits && { limits }), ...(requests && { requests }) } }] });

  test('quality of service', () => {
    assert.equal(qosClassOf(pod()), 'BestEffort');
    assert.equal(qosClassOf(resources({ cpu: '1', memory: '1Gi' })), 'Guaranteed');
    assert.equal(qosClassOf(resources({ cpu: '1', memory: '1Gi' }, { cpu: '1000m' })), 'Guaranteed');
    assert.equal(qosClassOf(resources({ cpu: '1' })), 'Burstable');
    assert.equal(qosClassOf(resources(undefined, { memory: '1Gi' })), 'Burstable');
  });

  test('requests become shares, limits become quotas', () => {
    assert.deepEqual([0, 1, 250, 1000, 1_000_000].map(cpuShares), [2, 2, 256, 1024, 262_144]);
    assert.deepEqual([0, 1, 500].map(cpuQuota), [0, 1000, 50_000]);
    const one = resources({ cpu: '500m', memory: '64Mi' });
    const container = one.spec?.containers[0] ?? { name: '' };
    assert.deepEqual(containerResources({ pod: one, container, nodeMemoryBytes: 1e9 }), {
      cpuShares: 512,
      cpuPeriod: 100_000,
      cpuQuota: 50_000,
      memoryLimitInBytes: 64 * 1024 * 1024,
      oomScoreAdj: -997,
    });
    assert.equal(oomScoreAdjust('Burstable', 5e8, 1e9), 500);
    assert.equal(oomScoreAdjust('BestEffort', 0, 1e9), 1000);
  });
});

describe('admission', () => {
  const asks = (name: string, cpu: string, hostPort?: number) =>
    pod(
      {
        containers: [
          {
            name: 'main',
            resources: { requests: { cpu } },
            ...(hostPort && { ports: [{ containerPort: 80, hostPort }] }),
          },
        ],
      },
      name,
    );
  const allocatable = { milliCpu: 2000, memoryBytes: 1e9 };

  test('a pod that does not fit is refused with the reason of upstream', () => {
    assert.equal(refusalOf(asks('a', '1'), [asks('b', '1')], allocatable), undefined);
    assert.deepEqual(refusalOf(asks('a', '1500m'), [asks('b', '1')], allocatable), {
      reason: 'OutOfcpu',
      message: "Pod was rejected: Node didn't have enough resource: cpu, requested: 1500, used: 1000, capacity: 2000",
    });
    assert.equal(refusalOf(asks('a', '0', 80), [asks('b', '0', 80)], allocatable)?.reason, 'NodePorts');
    const many = Array.from({ length: 110 }, (_, i) => asks(`p${i}`, '0'));
    assert.equal(refusalOf(asks('a', '0'), many, allocatable)?.reason, 'OutOfpods');
  });
});

describe('security', () => {
  test('the container overrides the pod, and gets the groups of the pod', () => {
    const one = pod({
      securityContext: { runAsUser: 1000, runAsGroup: 1001, fsGroup: 2000, supplementalGroups: [3000] },
      containers: [{ name: 'main', securityContext: { runAsUser: 7, allowPrivilegeEscalation: false } }],
    });
    const context = containerSecurityContext({
      pod: one,
      container: one.spec?.containers[0] ?? { name: '' },
      seccompDir: '',
    });
    assert.deepEqual(context.runAsUser, { value: 7 });
    assert.deepEqual(context.runAsGroup, { value: 1001 });
    assert.deepEqual(context.supplementalGroups, [3000, 2000]);
    assert.equal(context.noNewPrivs, true);
    assert.ok(context.maskedPaths.includes('/proc/kcore'));
  });

  test('runAsNonRoot', () => {
    const strict = pod({ securityContext: { runAsNonRoot: true } });
    const container = { name: 'main' };
    assert.throws(() => verifyNonRoot(strict, container, { uid: 0, username: '' }), { code: 'run-as-root' });
    assert.throws(() => verifyNonRoot(strict, container, { uid: undefined, username: 'app' }), /non-numeric user/);
    verifyNonRoot(strict, container, { uid: 5, username: '' });
    verifyNonRoot(strict, { name: 'main', securityContext: { runAsUser: 5 } }, { uid: 0, username: '' });
    verifyNonRoot(pod(), container, { uid: 0, username: '' });
  });
});
