import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { BallastError, parseIp } from '@ballast/base';
import { startSpeaker } from '@ballast/loadbalancer';
import { startPodNetwork } from '@ballast/network';
import { startNodeAgent } from '@ballast/node';
import { startServiceProxy } from '@ballast/proxy';
import { AGENT_PORT } from '../ports.ts';
import { readPair } from '../server-pki.ts';
import { clientFor } from './api-client.ts';
import type { RoleMain } from './role-main.ts';

/** Node agent, pod network, service proxy, speaker. */
export const runNode: RoleMain = async (context) => {
  const { settings, layout, logger, clock, metrics, stack } = context;
  const { node, cluster } = settings;
  const tlsDir = layout.agentTls;
  const client = await clientFor(context, { tlsDir, name: 'node' });
  const common = { client, nodeName: node.nodeName, clock, metrics };
  const network = stack.use(
    startPodNetwork({
      client,
      clock,
      nodeName: node.nodeName,
      cniConfDir: layout.cniConf,
      dataDir: join(layout.nodeState, 'network'),
      clusterCidrs: [cluster.clusterCidr],
      serviceCidrs: [cluster.serviceCidr],
      logger: logger.child({ part: 'network' }),
    }),
  );
  const proxy = stack.use(
    startServiceProxy({
      ...common,
      nodeIps: [node.nodeIp],
      clusterCidr: cluster.clusterCidr,
      serviceCidr: cluster.serviceCidr,
      logger: logger.child({ part: 'proxy' }),
    }),
  );
  const nodeIp = parseIp(node.nodeIp);
  if (!nodeIp) throw new BallastError('node-ip', `${node.nodeIp} is no address`);
  const speaker = stack.use(
    startSpeaker({
      ...common,
      nodeIps: [nodeIp],
      stateDir: join(node.runDir, 'speaker'),
      // An address is not announced before the kernel knows where to send its packets.
      ready: proxy.programmed,
      onLostNodes: (nodes) => proxy.setLostNodes(nodes),
      logger: logger.child({ part: 'speaker' }),
    }),
  );
  const agent = stack.use(
    await startNodeAgent({
      ...common,
      nodeIp: node.nodeIp,
      labels: node.labels,
      taints: [...node.taints],
      stateDir: layout.nodeState,
      volatileDir: join(node.runDir, 'pods'),
      criSocket: settings.containerdSocket,
      imageDir: node.imageDir,
      listen: { host: node.nodeIp, port: AGENT_PORT },
      tls: {
        ...(await readPair(tlsDir, 'serving')),
        clientCaPem: await readFile(join(tlsDir, 'client-ca.crt'), 'utf8'),
      },
      clusterDns: [cluster.clusterDns],
      clusterDomain: cluster.clusterDomain,
      logger: logger.child({ part: 'agent' }),
    }),
  );
  return [network, proxy, speaker, agent];
};
