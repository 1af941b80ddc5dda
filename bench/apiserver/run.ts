import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { Agent, type AgentOptions, request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { formatTable } from '@ballast/base';

// `npm run bench -- apiserver`: what one operation costs the API server in CPU, with 32 clients over TLS and every write on disk
// before it is answered. The comparison is kube-apiserver 1.36 with etcd 3.4 on two cores, as ARCHITECTURE.md records it.

const CLIENTS = 32;
const OBJECTS = 4000;
const READS = 8000;
const WATCHERS = 50;
const WATCHED_WRITES = 500;
const VALUE = 'x'.repeat(1000);

const UPSTREAM = {
  readyS: 2.65,
  idleMb: 313,
  afterMb: 500,
  create: 0.98,
  get: 0.48,
  put: 1.1,
  listMs: 82,
  watch: 0.086,
};

interface Usage {
  readonly cpuMs: number;
  readonly rssBytes: number;
}

const certificates = join(import.meta.dirname, '../../packages/apiserver/src/testdata');
const pem = (name: string) => readFile(join(certificates, name), 'utf8');

async function ask(server: ChildProcess, question: 'usage' | 'collect'): Promise<Usage> {
  server.send(question);
  const [usage] = (await once(server, 'message')) as [Usage];
  return usage;
}

class Load {
  readonly #url: string;
  readonly #tls: AgentOptions;
  readonly #agent: Agent;

  constructor(url: string, tls: AgentOptions) {
    this.#url = url;
    this.#tls = tls;
    this.#agent = new Agent({ ...tls, keepAlive: true, maxSockets: CLIENTS });
  }

  call(method: string, path: string, body?: string, type = 'application/json'): Promise<Buffer> {
    return new Promise((resolve, reject) => {
      const headers = body === undefined ? {} : { 'content-type': type, 'content-length': Buffer.byteLength(body) };
      const outgoing = request(`${this.#url}${path}`, { ...this.#tls, agent: this.#agent, method, headers });
      outgoing.on('error', reject);
      outgoing.on('response', (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('end', () => {
          const answer = Buffer.concat(chunks);
          const code = response.statusCode ?? 0;
          if (code < 300) resolve(answer);
          else reject(new Error(`${method} ${path}: ${code} ${answer.toString('utf8').slice(0, 300)}`));
        });
      });
      outgoing.end(body);
    });
  }

  /** `count` calls by all clients at once. */
  async all(count: number, one: (i: number) => Promise<unknown>): Promise<void> {
    let next = 0;
    const client = async () => {
      for (let i = next++; i < count; i = next++) await one(i);
    };
    await Promise.all(Array.from({ length: CLIENTS }, client));
  }

  /** A watch that counts what it receives. */
  async watch(path: string): Promise<{ readonly seen: () => number; close(): void }> {
    const outgoing = request(`${this.#url}${path}`, { ...this.#tls, agent: false });
    outgoing.on('error', () => {});
    outgoing.end();
    const [response] = await once(outgoing, 'response');
    let seen = 0;
    response.on('error', () => {});
    response.on('data', (chunk: Buffer) => {
      for (const byte of chunk) if (byte === 10) seen++;
    });
    return { seen: () => seen, close: () => outgoing.destroy() };
  }

  close(): void {
    this.#agent.destroy();
  }
}

const CONFIG_MAPS = '/api/v1/namespaces/default/configmaps';
const bodyOf = (i: number, n: number) =>
  JSON.stringify({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: `cm-${i}` },
    data: { value: VALUE, n: String(n) },
  });

const directory = await mkdtemp(join(tmpdir(), 'ballast-bench-'));
const started = performance.now();
const server = fork(join(import.meta.dirname, 'server-process.ts'), [join(directory, 'store.db')], {
  execArgv: ['--expose-gc'],
});
try {
  const [{ url }] = (await once(server, 'message')) as [{ url: string }];
  const tls = { ca: await pem('ca.crt'), cert: await pem('admin.crt'), key: await pem('admin.key') };
  const load = new Load(url, tls);
  await load.call('GET', '/readyz');
  const readyS = (performance.now() - started) / 1000;
  const idle = await ask(server, 'collect');

  const rows: string[][] = [];
  const report = (name: string, ours: number, unit: string, theirs?: number, note = '') =>
    rows.push([
      name,
      `${ours.toFixed(ours < 10 ? 3 : 1)} ${unit}`,
      theirs === undefined ? '' : `${theirs} ${unit}`,
      theirs === undefined ? '' : `${(theirs / ours).toFixed(1)} x`,
      note,
    ]);

  /** CPU of the server per operation, and operations per second of wall time. */
  const measure = async (
    name: string,
    count: number,
    one: (i: number) => Promise<unknown>,
    theirs?: number,
  ): Promise<number> => {
    const before = await ask(server, 'usage');
    const start = performance.now();
    await load.all(count, one);
    const seconds = (performance.now() - start) / 1000;
    const perOperation = ((await ask(server, 'usage')).cpuMs - before.cpuMs) / count;
    report(name, perOperation, 'ms CPU', theirs, `${Math.round(count / seconds)}/s`);
    return perOperation;
  };

  report('ready', readyS, 's', UPSTREAM.readyS);
  report('memory, idle', idle.rssBytes / 1e6, 'MB', UPSTREAM.idleMb);
  // What a compiler does in the first seconds is not what an operation costs.
  await load.all(1000, (i) => load.call('POST', CONFIG_MAPS, bodyOf(100_000 + i, 0)));
  await load.all(1000, (i) => load.call('DELETE', `${CONFIG_MAPS}/cm-${100_000 + i}`));

  await measure('create', OBJECTS, (i) => load.call('POST', CONFIG_MAPS, bodyOf(i, 0)), UPSTREAM.create);
  await measure('get', READS, (i) => load.call('GET', `${CONFIG_MAPS}/cm-${i % OBJECTS}`), UPSTREAM.get);
  const put = await measure(
    'put',
    OBJECTS,
    (i) => load.call('PUT', `${CONFIG_MAPS}/cm-${i}`, bodyOf(i, 1)),
    UPSTREAM.put,
  );
  await measure('patch (merge)', OBJECTS, (i) =>
    load.call('PATCH', `${CONFIG_MAPS}/cm-${i}`, '{"data":{"n":"2"}}', 'application/merge-patch+json'),
  );
  let listBytes = 0;
  const before = await ask(server, 'usage');
  for (let i = 0; i < 20; i++) listBytes = (await load.call('GET', CONFIG_MAPS)).length;
  report(
    `list of ${OBJECTS}`,
    ((await ask(server, 'usage')).cpuMs - before.cpuMs) / 20,
    'ms CPU',
    UPSTREAM.listMs,
    `${(listBytes / 1e6).toFixed(1)} MB`,
  );

  const watches = await Promise.all(
    Array.from({ length: WATCHERS }, () => load.watch(`${CONFIG_MAPS}?watch=1&resourceVersion=${'0'}&labelSelector=`)),
  );
  await settle(
    watches.map(({ seen }) => seen),
    OBJECTS,
  );
  const quiet = await ask(server, 'usage');
  await load.all(WATCHED_WRITES, (i) => load.call('PUT', `${CONFIG_MAPS}/cm-${i}`, bodyOf(i, 3)));
  await settle(
    watches.map(({ seen }) => seen),
    OBJECTS + WATCHED_WRITES,
  );
  const loud = await ask(server, 'usage');
  report(
    `watch, ${WATCHERS} watchers`,
    (loud.cpuMs - quiet.cpuMs - put * WATCHED_WRITES) / (WATCHED_WRITES * WATCHERS),
    'ms CPU',
    UPSTREAM.watch,
    'per event and watcher',
  );
  for (const watch of watches) watch.close();
  await measure('delete', OBJECTS, (i) => load.call('DELETE', `${CONFIG_MAPS}/cm-${i}`));
  const after = await ask(server, 'usage');
  report(
    'memory, after',
    after.rssBytes / 1e6,
    'MB',
    UPSTREAM.afterMb,
    `${((await ask(server, 'collect')).rssBytes / 1e6).toFixed(0)} MB collected`,
  );
  load.close();

  console.log(
    `API server with ${CLIENTS} clients, ConfigMaps of 1 KB; the comparison is kube-apiserver 1.36 + etcd 3.4\n`,
  );
  console.log(formatTable([['', 'Ballast', 'upstream', 'ratio', ''], ...rows]));
} finally {
  server.kill('SIGKILL');
  await rm(directory, { recursive: true });
}

/** Waits until every watcher has seen `count` events; a minute at most. */
async function settle(counters: readonly (() => number)[], count: number): Promise<void> {
  for (let i = 0; i < 1200 && counters.some((seen) => seen() < count); i++)
    await new Promise((resolve) => setTimeout(resolve, 50));
  if (counters.some((seen) => seen() < count)) throw new Error('the watchers did not see everything');
}
