import { readFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { BallastError, parseConfig } from '@ballast/base';
import { stringify } from 'yaml';
import { z } from 'zod';
import type { ClientOptions } from './https-client.ts';

/** The parts of a kubeconfig that say where a cluster is and who we are. Other fields are allowed and ignored, as kubectl does. */
const clusterSchema = z.looseObject({
  server: z.url(),
  'certificate-authority-data': z.string().optional(),
  'certificate-authority': z.string().optional(),
});
const contextSchema = z.looseObject({ cluster: z.string(), user: z.string() });
const userSchema = z.looseObject({
  'client-certificate-data': z.string().optional(),
  'client-certificate': z.string().optional(),
  'client-key-data': z.string().optional(),
  'client-key': z.string().optional(),
  token: z.string().optional(),
});
const kubeconfigSchema = z.looseObject({
  'current-context': z.string().min(1),
  clusters: z.array(z.looseObject({ name: z.string(), cluster: clusterSchema })),
  contexts: z.array(z.looseObject({ name: z.string(), context: contextSchema })),
  users: z.array(z.looseObject({ name: z.string(), user: userSchema })),
});

function named<Entry extends { name: string }>(
  entries: readonly Entry[],
  name: string,
  kind: string,
  path: string,
): Entry {
  const found = entries.find((entry) => entry.name === name);
  if (!found) throw new BallastError('kubeconfig-incomplete', `${path}: there is no ${kind} named '${name}'`);
  return found;
}

/** Reads a kubeconfig's current context. Throws ConfigError, or BallastError 'kubeconfig-incomplete'. */
export async function loadKubeconfig(path: string): Promise<ClientOptions> {
  const config = parseConfig(kubeconfigSchema, await readFile(path, 'utf8'), path);
  const { context } = named(config.contexts, config['current-context'], 'context', path);
  const { cluster } = named(config.clusters, context.cluster, 'cluster', path);
  const { user } = named(config.users, context.user, 'user', path);
  const pem = async (from: Readonly<Record<string, unknown>>, key: string): Promise<string | undefined> => {
    const data = from[`${key}-data`];
    if (typeof data === 'string') return Buffer.from(data, 'base64').toString('utf8');
    const file = from[key];
    return typeof file === 'string' ? readFile(resolve(dirname(path), file), 'utf8') : undefined;
  };
  const caPem = await pem(cluster, 'certificate-authority');
  if (caPem === undefined)
    throw new BallastError('kubeconfig-incomplete', `${path}: the cluster has no certificate authority`);
  const certPem = await pem(user, 'client-certificate');
  const keyPem = await pem(user, 'client-key');
  return {
    server: cluster.server,
    caPem,
    ...(certPem === undefined ? {} : { certPem }),
    ...(keyPem === undefined ? {} : { keyPem }),
    ...(user.token === undefined ? {} : { token: user.token }),
  };
}

/** A kubeconfig with one context that kubectl and helm read. Write it with mode 0600: it holds a private key. */
export function formatKubeconfig(options: {
  name: string;
  server: string;
  caPem: string;
  certPem: string;
  keyPem: string;
}): string {
  const base64 = (text: string) => Buffer.from(text).toString('base64');
  const { name } = options;
  return stringify(
    {
      apiVersion: 'v1',
      kind: 'Config',
      'current-context': name,
      clusters: [{ name, cluster: { server: options.server, 'certificate-authority-data': base64(options.caPem) } }],
      contexts: [{ name, context: { cluster: name, user: name } }],
      users: [
        {
          name,
          user: { 'client-certificate-data': base64(options.certPem), 'client-key-data': base64(options.keyPem) },
        },
      ],
    },
    { lineWidth: 0 },
  );
}
