import { mkdir, readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { startApiServer } from '@ballast/apiserver';
import { openStore } from '@ballast/store';
import { readPair } from '../server-pki.ts';
import type { RoleMain } from './role-main.ts';

/** The store and the API over it. */
export const runApiServer: RoleMain = async ({ settings, layout, logger, clock, stack }) => {
  const { server, cluster } = settings;
  if (!server) throw new Error('the role apiserver runs on servers only');
  const secret = (file: string) => readFile(join(layout.serverTls, file), 'utf8');
  await mkdir(dirname(layout.store), { recursive: true, mode: 0o700 });
  const store = stack.use(await openStore({ path: layout.store, logger }));
  const api = stack.use(
    await startApiServer({
      listen: { host: server.bindAddress, port: settings.apiPort },
      advertiseAddress: server.advertiseAddress,
      tls: await readPair(layout.serverTls, 'apiserver'),
      clientCaPem: await secret('client-ca.crt'),
      serviceAccountKeyPem: await secret('service-account.key'),
      serviceCidr: cluster.serviceCidr,
      nodePortRange: cluster.nodePortRange,
      kubeletClient: { ...(await readPair(layout.serverTls, 'kubelet-client')), caPem: await secret('server-ca.crt') },
      store,
      logger,
      clock,
    }),
  );
  return [api];
};
