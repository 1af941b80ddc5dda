import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { request as httpsRequest } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { silentLogger, systemClock } from '@ballast/base';
import { createClient, type KubeClient } from '@ballast/kube';
import { MemoryStore, type Store } from '@ballast/store';
import { type RunningApiServer, startApiServer } from '../server.ts';

export const pem = (name: string): Promise<string> => readFile(join(import.meta.dirname, name), 'utf8');

/** An API server on a free loopback port, with a client for its administrator. */
export interface TestServer extends AsyncDisposable {
  readonly server: RunningApiServer;
  readonly url: string;
  readonly client: KubeClient;
  /** Writes a kubeconfig of `user` (a certificate in testdata) and returns its path. */
  kubeconfig(user?: string): Promise<string>;
  /** One plain request; the body is parsed when it is JSON. */
  call(method: string, path: string, options?: CallOptions): Promise<CallResult>;
}

export interface CallOptions {
  readonly body?: unknown;
  readonly headers?: Record<string, string>;
  /** Name of the client certificate; '' for none. */
  readonly user?: string;
  readonly token?: string;
}

export interface CallResult {
  readonly code: number;
  readonly headers: Record<string, string | string[] | undefined>;
  readonly text: string;
  /** What the JSON body has at a path such as 'items.0.metadata.name'; the whole body for ''. Undefined when a step is missing. */
  at(path: string): unknown;
}

function valueAt(value: unknown, path: string): unknown {
  let at = value;
  for (const step of path === '' ? [] : path.split('.')) {
    if (typeof at !== 'object' || at === null || !Object.hasOwn(at, step)) return undefined;
    at = (at as Record<string, unknown>)[step];
  }
  return at;
}

export async function startTestServer(options: { store?: Store } = {}): Promise<TestServer> {
  const [caPem, certPem, keyPem, adminCert, adminKey] = await Promise.all(
    ['ca.crt', 'server.crt', 'server.key', 'admin.crt', 'admin.key'].map(pem),
  );
  if (!caPem || !certPem || !keyPem || !adminCert || !adminKey) throw new Error('the test certificates are missing');
  const directory = await mkdtemp(join(tmpdir(), 'ballast-apiserver-'));
  const server = await startApiServer({
    listen: { host: '127.0.0.1', port: 0 },
    advertiseAddress: '127.0.0.1',
    tls: { certPem, keyPem },
    clientCaPem: caPem,
    serviceAccountKeyPem: keyPem,
    serviceCidr: '10.43.0.0/16',
    kubeletClient: { certPem: adminCert, keyPem: adminKey, caPem },
    store: options.store ?? new MemoryStore(),
    logger: silentLogger,
    clock: systemClock,
  });
  const url = `https://127.0.0.1:${server.address.port}`;
  const client = createClient({ server: url, caPem, certPem: adminCert, keyPem: adminKey });
  return {
    server,
    url,
    client,
    async kubeconfig(user = 'admin') {
      const path = join(directory, `${user}.kubeconfig`);
      const data = async (name: string) => Buffer.from(await pem(name)).toString('base64');
      await writeFile(
        path,
        `apiVersion: v1
kind: Config
clusters: [{name: test, cluster: {server: "${url}", certificate-authority-data: ${await data('ca.crt')}}}]
users: [{name: ${user}, user: {client-certificate-data: ${await data(`${user}.crt`)}, client-key-data: ${await data(`${user}.key`)}}}]
contexts: [{name: test, context: {cluster: test, user: ${user}}}]
current-context: test
`,
      );
      return path;
    },
    call: (method, path, callOptions = {}) => call(url, caPem, method, path, callOptions),
    async [Symbol.asyncDispose]() {
      await client[Symbol.asyncDispose]();
      await server[Symbol.asyncDispose]();
      await rm(directory, { recursive: true });
    },
  };
}

async function call(url: string, ca: string, method: string, path: string, options: CallOptions): Promise<CallResult> {
  const user = options.token === undefined ? (options.user ?? 'admin') : '';
  const identity = user === '' ? {} : { cert: await pem(`${user}.crt`), key: await pem(`${user}.key`) };
  const body =
    options.body === undefined
      ? undefined
      : typeof options.body === 'string'
        ? options.body
        : JSON.stringify(options.body);
  return new Promise((resolve, reject) => {
    const outgoing = httpsRequest(`${url}${path}`, {
      method,
      ca,
      agent: false,
      ...identity,
      headers: {
        ...(body === undefined
          ? {}
          : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) }),
        ...(options.token === undefined ? {} : { authorization: `Bearer ${options.token}` }),
        ...options.headers,
      },
    });
    outgoing.on('error', reject);
    outgoing.on('response', (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('error', reject);
      response.on('end', () => {
        const text = Buffer.concat(chunks).toString('utf8');
        const json: unknown = /^\{.*\}$/s.test(text) && !text.includes('}\n{') ? JSON.parse(text) : undefined;
        resolve({ code: response.statusCode ?? 0, headers: response.headers, text, at: (path) => valueAt(json, path) });
      });
    });
    outgoing.end(body);
  });
}
