import { z } from 'zod';

/** Paths of the join endpoint. */
export const AUTHORITIES_PATH = '/cacerts';
export const PING_PATH = '/ping';
export const JOIN_PATH = '/v1-ballast/join';

export const MAX_JOIN_BODY_BYTES = 64 * 1024;

const spkiPem = z.string().startsWith('-----BEGIN PUBLIC KEY-----').max(2000);

/**
 * What a joining machine sends, with the token's secret as bearer token. It keeps its private keys; whoever sends another's public key only
 * gets a certificate of no use to him.
 */
export const joinRequest = z.strictObject({
  nodeName: z.string().regex(/^[a-z0-9]([a-z0-9.-]{0,61}[a-z0-9])?$/),
  nodeIp: z.ipv4(),
  /** Made by the machine at its first join; keeps others that know the token from taking its name. */
  nodePassword: z.string().min(16).max(200),
  keys: z.strictObject({ serving: spkiPem, node: spkiPem, dns: spkiPem }),
});
export type JoinRequest = z.output<typeof joinRequest>;

export const joinAnswer = z.object({
  certificates: z.object({ serving: z.string(), node: z.string(), dns: z.string() }),
  serverCaPem: z.string(),
  clientCaPem: z.string(),
  api: z.object({ host: z.string(), port: z.int() }),
  cluster: z.object({
    clusterCidr: z.string(),
    nodeCidrPrefixLength: z.int(),
    serviceCidr: z.string(),
    nodePortRange: z.tuple([z.int(), z.int()]),
    clusterDns: z.string(),
    clusterDomain: z.string(),
  }),
});
export type JoinAnswer = z.output<typeof joinAnswer>;
