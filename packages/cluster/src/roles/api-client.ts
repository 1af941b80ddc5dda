import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createClient, type KubeClient } from '@ballast/kube';
import { readPair } from '../server-pki.ts';
import type { RoleContext } from './role-main.ts';

/** A client with the identity kept as `name` in `tlsDir`. Closed when the role ends. */
export async function clientFor(context: RoleContext, identity: { tlsDir: string; name: string }): Promise<KubeClient> {
  const { settings, stack } = context;
  const pair = await readPair(identity.tlsDir, identity.name);
  return stack.use(
    createClient({
      server: `https://${settings.apiHost}:${settings.apiPort}`,
      caPem: await readFile(join(identity.tlsDir, 'server-ca.crt'), 'utf8'),
      ...pair,
      userAgent: `ballast-${identity.name}`,
    }),
  );
}
