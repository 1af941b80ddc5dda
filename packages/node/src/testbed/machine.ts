import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { createLogger, MetricsRegistry, type Running, systemClock } from '@ballast/base';
import { FakeClient, PODS, type Pod, type PodSpec } from '@ballast/kube';
import { startNodeAgent } from '../agent.ts';
import { type RunningContainerd, startContainerd } from '../containerd/start.ts';
import { HELLO_IMAGE, writeBuiltInImages } from '../image/built-in-images.ts';

export const NODE_IP = '127.0.0.1';
const logger = createLogger({ level: 'error' });
const clock = systemClock;

/** A node in the namespaces of this process: containerd, the agent, and an API in memory. */
export class TestMachine {
  readonly client = new FakeClient();
  readonly dir: string;
  readonly cgroupRoot: string;
  readonly tls: { readonly certPem: string; readonly keyPem: string; readonly clientCaPem: string };
  readonly clientTls: { readonly cert: string; readonly key: string; readonly ca: string };
  port = 0;
  #containerd: RunningContainerd | undefined;
  #agent: Running | undefined;

  constructor(dir: string, cgroupRoot: string) {
    this.dir = dir;
    this.cgroupRoot = cgroupRoot;
    mkdirSync(join(dir, 'cni'), { recursive: true });
    writeFileSync(
      join(dir, 'cni/10-test.conflist'),
      JSON.stringify({
        cniVersion: '1.0.0',
        name: 'test',
        plugins: [
          {
            type: 'ptp',
            ipam: {
              type: 'host-local',
              dataDir: join(dir, 'ipam'),
              ranges: [[{ subnet: '10.42.7.0/24' }]],
              routes: [{ dst: '0.0.0.0/0' }],
            },
          },
        ],
      }),
    );
    const pem = makeCertificates(join(dir, 'tls'));
    this.tls = { certPem: pem('server.crt'), keyPem: pem('server.key'), clientCaPem: pem('ca.crt') };
    this.clientTls = { cert: pem('client.crt'), key: pem('client.key'), ca: pem('ca.crt') };
  }

  get runDir(): string {
    return '/run/ballast';
  }

  get stateDir(): string {
    return join(this.dir, 'state');
  }

  async startContainerd(): Promise<void> {
    const { stateDir } = this;
    this.#containerd = await startContainerd({
      stateDir,
      runDir: join(this.runDir, 'containerd'),
      cniConfDir: join(this.dir, 'cni'),
      cniBinDir: '/usr/lib/cni',
      logger,
      clock,
    });
    await writeBuiltInImages({ imageDir: join(this.dir, 'images'), logger });
  }

  async startAgent(): Promise<void> {
    this.port = 20_250;
    this.#agent = await startNodeAgent({
      client: this.client,
      nodeName: 'node-1',
      nodeIp: NODE_IP,
      stateDir: this.stateDir,
      volatileDir: join(this.runDir, 'node'),
      criSocket: this.#containerd?.socketPath ?? '',
      imageDir: join(this.dir, 'images'),
      listen: { host: NODE_IP, port: this.port },
      tls: this.tls,
      clusterDns: '10.43.0.10',
      clusterDomain: 'cluster.local',
      cgroupRoot: this.cgroupRoot,
      logger,
      clock,
      metrics: new MetricsRegistry(),
    });
  }

  async stopAgent(): Promise<void> {
    await this.#agent?.[Symbol.asyncDispose]();
    this.#agent = undefined;
  }

  async stop(): Promise<void> {
    await this.stopAgent();
    await this.#containerd?.[Symbol.asyncDispose]();
    this.#containerd = undefined;
  }

  /** As if the power failed: every process is gone, and what was in memory; disks stay. */
  async powerCut(): Promise<void> {
    await this.stop();
    for (const name of await readdir('/proc')) {
      const pid = Number(name);
      if (!Number.isInteger(pid) || pid === process.pid || pid === 1) continue;
      try {
        process.kill(pid, 'SIGKILL');
      } catch {}
    }
    const ours = `grep -E ' (${this.runDir}|/run/netns/cni|/run/containerd)' /proc/mounts`;
    execFileSync('sh', ['-c', `${ours} | cut -d' ' -f2 | sort -r | xargs -r umount -l; rm -f /run/netns/cni-*`]);
    await rm(this.runDir, { recursive: true, force: true });
    await rm('/run/containerd', { recursive: true, force: true });
  }

  /** Addresses that the CNI plugin host-local has given out. */
  reservedAddresses(): string[] {
    return readdirSync(join(this.dir, 'ipam/test')).filter((name) => /^\d+\./.test(name));
  }

  pids(command: string): number[] {
    const output = execFileSync('sh', ['-c', `pidof ${command} || true`]).toString();
    return output
      .trim()
      .split(/\s+/)
      .filter((text) => text !== '')
      .map(Number);
  }

  create(name: string, spec: Partial<PodSpec>): Promise<Pod> {
    const containers = [{ name: 'main', image: HELLO_IMAGE }];
    return this.client.create(PODS, {
      metadata: { name, namespace: 'default', labels: { app: name } },
      spec: { nodeName: 'node-1', containers, ...spec },
    });
  }

  get(name: string): Promise<Pod> {
    return this.client.get(PODS, { namespace: 'default', name });
  }

  /** Waits for a pod to be as wanted. */
  async until(name: string, what: string, isGood: (pod: Pod) => boolean, timeoutMs = 15_000): Promise<Pod> {
    const endMs = clock.monotonicMs() + timeoutMs;
    for (;;) {
      const pod = await this.client.find(PODS, { namespace: 'default', name });
      if (pod && isGood(pod)) return pod;
      if (clock.monotonicMs() > endMs)
        throw new Error(`${name} is not ${what}: ${JSON.stringify(pod?.status, undefined, 1)}`);
      await clock.sleep(10);
    }
  }

  untilReady(name: string): Promise<Pod> {
    return this.until(name, 'ready', isReady);
  }

  async delete(name: string, gracePeriodSeconds = 0): Promise<number> {
    const startMs = clock.monotonicMs();
    // Grace 0 would remove the object at once, as a forced deletion does; the agent is to do its part.
    await this.client.delete(
      PODS,
      { namespace: 'default', name },
      { gracePeriodSeconds: Math.max(1, gracePeriodSeconds) },
    );
    while (await this.client.find(PODS, { namespace: 'default', name })) {
      if (clock.monotonicMs() - startMs > 30_000) throw new Error(`${name} does not go away`);
      await clock.sleep(10);
    }
    return clock.monotonicMs() - startMs;
  }
}

export function isReady(pod: Pod): boolean {
  return pod.status?.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True') ?? false;
}

/** An authority, and certificates of a node, of the API server as a client, and of somebody else. */
export function makeCertificates(dir: string): (name: string) => string {
  mkdirSync(dir, { recursive: true });
  const key = '-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes';
  const sign = (name: string, subject: string) =>
    `openssl req ${key} -keyout ${name}.key -out ${name}.csr -subj "${subject}" && openssl x509 -req -in ${name}.csr -CA ca.crt -CAkey ca.key -CAcreateserial -out ${name}.crt -days 2`;
  const script = [
    `openssl req -x509 ${key} -keyout ca.key -out ca.crt -subj /CN=ca -days 2`,
    sign('server', '/CN=node-1'),
    sign('client', '/O=system:masters/CN=kube-apiserver-kubelet-client'),
    sign('stranger', '/CN=stranger'),
  ].join(' && ');
  execFileSync('sh', ['-c', `(${script}) 2>/dev/null`], { cwd: dir });
  return (name) => readFileSync(join(dir, name), 'utf8');
}
