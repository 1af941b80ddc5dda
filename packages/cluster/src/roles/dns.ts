import { startDnsServer } from '@ballast/dns';
import { NODE_DNS_PORT } from '../ports.ts';
import { clientFor } from './api-client.ts';
import type { RoleMain } from './role-main.ts';

/** The DNS server, as configured by the ConfigMap kube-system/coredns. */
export const runDns: RoleMain = async (context) => {
  const { settings, layout, logger, clock, metrics, stack } = context;
  const client = await clientFor(context, { tlsDir: layout.agentTls, name: 'dns' });
  const server = stack.use(
    await startDnsServer({
      corefile: { configMap: { namespace: 'kube-system', name: 'coredns' } },
      client,
      listenHost: settings.node.nodeIp,
      defaultPort: NODE_DNS_PORT,
      logger,
      clock,
      metrics,
    }),
  );
  return [server];
};
