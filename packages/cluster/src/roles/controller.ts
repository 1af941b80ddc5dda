import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { runInBackground } from '@ballast/base';
import { startControllers } from '@ballast/controllers';
import { DEFAULT_COREFILE } from '@ballast/dns';
import { METALLB_CRDS, startAddressController } from '@ballast/loadbalancer';
import { startScheduler } from '@ballast/scheduler';
import { clusterAddons, installAddons } from '../addons.ts';
import { clientFor } from './api-client.ts';
import type { RoleMain } from './role-main.ts';

/** Controllers, scheduler, addresses of LoadBalancer Services; and the add-ons, once at every start. */
export const runController: RoleMain = async (context) => {
  const { settings, layout, logger, clock, metrics, stack } = context;
  const { cluster } = settings;
  const client = await clientFor(context, { tlsDir: layout.serverTls, name: 'controller' });
  const schedulerClient = await clientFor(context, { tlsDir: layout.serverTls, name: 'scheduler' });
  const addons = clusterAddons({
    clusterDns: cluster.clusterDns,
    corefile: DEFAULT_COREFILE,
    customResources: METALLB_CRDS,
  });
  stack.use(runInBackground((signal) => installAddons({ client, addons, logger, clock, signal })));
  const controllers = stack.use(
    startControllers({
      client,
      logger: logger.child({ part: 'controllers' }),
      clock,
      metrics,
      clusterCidr: cluster.clusterCidr,
      nodeCidrPrefixLength: cluster.nodeCidrPrefixLength,
      clusterCaPem: await readFile(join(layout.serverTls, 'server-ca.crt'), 'utf8'),
    }),
  );
  const scheduler = stack.use(
    startScheduler({ client: schedulerClient, logger: logger.child({ part: 'scheduler' }), clock, metrics }),
  );
  const addresses = stack.use(
    startAddressController({ client, logger: logger.child({ part: 'addresses' }), clock, metrics }),
  );
  return [controllers, scheduler, addresses];
};
