import { readFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import {
  BallastError,
  ConfigError,
  type ConfigProblem,
  cidrAddress,
  cidrContains,
  errnoOf,
  formatIp,
  parseCidr,
  parseConfig,
  parseIp,
} from '@ballast/base';
import { z } from 'zod';
import { API_PORT, SUPERVISOR_PORT } from './ports.ts';

export const DEFAULT_CONFIG_PATH = '/etc/ballast/config.yaml';

const ipAddress = z.string().refine((text) => parseIp(text)?.family === 4, { error: 'expected an IPv4 address' });
const ipv4Cidr = z.string().refine((text) => parseCidr(text, { strict: true })?.ip.family === 4, {
  error: 'expected an IPv4 prefix such as 10.42.0.0/16',
});
const nodeName = z
  .string()
  .regex(/^[a-z0-9]([a-z0-9.-]{0,61}[a-z0-9])?$/, { error: 'expected a lower-case DNS name of at most 63 characters' });
const port = z.int().min(1).max(65535);
const portRange = z
  .string()
  .refine((text) => parsePortRange(text) !== undefined, { error: 'expected two ports as in 30000-32767' });
const label = z.string().regex(/^[A-Za-z0-9./_-]+=[A-Za-z0-9._-]*$/, { error: 'expected key=value' });
const taint = z.string().regex(/^[A-Za-z0-9./_-]+(=[A-Za-z0-9._-]*)?:(NoSchedule|PreferNoSchedule|NoExecute)$/, {
  error: 'expected key=value:effect',
});
const domain = z.string().regex(/^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$/, { error: 'expected a DNS domain' });

/** Keys that a server and an agent share. The names are those of RKE2 where it has one; each is also a flag. */
const common = {
  'data-dir': z.string().startsWith('/').optional(),
  'run-dir': z.string().startsWith('/').optional(),
  'node-name': nodeName.optional(),
  'node-ip': ipAddress.optional(),
  'node-label': z.array(label).optional(),
  'node-taint': z.array(taint).optional(),
  'image-dir': z.string().startsWith('/').optional(),
  'cni-bin-dir': z.string().startsWith('/').optional(),
  debug: z.boolean().optional(),
};

export const serverKeys = z.strictObject({
  ...common,
  token: z
    .string()
    .regex(/^[A-Za-z0-9._~-]{8,}$/, { error: 'expected a secret of at least 8 letters, digits and ._~-' })
    .optional(),
  'bind-address': ipAddress.optional(),
  'advertise-address': ipAddress.optional(),
  'https-listen-port': port.optional(),
  'supervisor-port': port.optional(),
  'tls-san': z.array(z.string().min(1)).optional(),
  'cluster-cidr': ipv4Cidr.optional(),
  'service-cidr': ipv4Cidr.optional(),
  'service-node-port-range': portRange.optional(),
  'cluster-dns': ipAddress.optional(),
  'cluster-domain': domain.optional(),
  'write-kubeconfig': z.string().startsWith('/').optional(),
});

export const agentKeys = z.strictObject({
  ...common,
  server: z.url({ protocol: /^https$/, error: 'expected https://HOST:9345' }).optional(),
  token: z.string().min(1).optional(),
  'token-file': z.string().startsWith('/').optional(),
});

export type ServerKeys = z.output<typeof serverKeys>;
export type AgentKeys = z.output<typeof agentKeys>;

/** What both kinds of machine know about themselves. */
export interface NodeSettings {
  readonly dataDir: string;
  /** Volatile: sockets, pid files. */
  readonly runDir: string;
  readonly nodeName: string;
  /** Undefined: the address of the interface that leads to the default gateway. */
  readonly nodeIp: string | undefined;
  readonly labels: Readonly<Record<string, string>>;
  readonly taints: readonly Taint[];
  readonly imageDir: string;
  readonly cniBinDir: string;
  readonly debug: boolean;
}

export interface Taint {
  readonly key: string;
  readonly value?: string;
  readonly effect: 'NoSchedule' | 'PreferNoSchedule' | 'NoExecute';
}

/** What holds for the whole cluster; agents learn it when they join. */
export interface ClusterSettings {
  readonly clusterCidr: string;
  readonly nodeCidrPrefixLength: number;
  readonly serviceCidr: string;
  readonly nodePortRange: readonly [number, number];
  readonly clusterDns: string;
  readonly clusterDomain: string;
}

export interface ServerSettings extends NodeSettings {
  readonly cluster: ClusterSettings;
  readonly bindAddress: string;
  readonly advertiseAddress: string | undefined;
  readonly apiPort: number;
  readonly supervisorPort: number;
  readonly altNames: readonly string[];
  readonly secret: string | undefined;
  readonly kubeconfigPath: string;
}

export interface AgentSettings extends NodeSettings {
  readonly server: string;
  readonly token: string;
}

/** Settings of a server from its file's keys and the flags given, which win. All problems are reported at once. */
export function serverSettings(keys: ServerKeys): ServerSettings {
  const cluster: ClusterSettings = {
    clusterCidr: keys['cluster-cidr'] ?? '10.42.0.0/16',
    nodeCidrPrefixLength: 24,
    serviceCidr: keys['service-cidr'] ?? '10.43.0.0/16',
    nodePortRange: parsePortRange(keys['service-node-port-range'] ?? '') ?? [30000, 32767],
    clusterDns: keys['cluster-dns'] ?? addressIn(keys['service-cidr'] ?? '10.43.0.0/16', 10),
    clusterDomain: keys['cluster-domain'] ?? 'cluster.local',
  };
  const problems: ConfigProblem[] = [];
  const services = parseCidr(cluster.serviceCidr);
  const dns = parseIp(cluster.clusterDns);
  const pods = parseCidr(cluster.clusterCidr);
  if (services && dns && !cidrContains(services, dns)) {
    problems.push({
      path: 'cluster-dns',
      message: `${cluster.clusterDns} lies outside service-cidr ${cluster.serviceCidr}`,
    });
  }
  if (services && pods && (cidrContains(services, pods.ip) || cidrContains(pods, services.ip))) {
    problems.push({
      path: 'service-cidr',
      message: `${cluster.serviceCidr} and cluster-cidr ${cluster.clusterCidr} overlap`,
    });
  }
  if (pods && pods.prefixLength > 24) {
    problems.push({
      path: 'cluster-cidr',
      message: `${cluster.clusterCidr} is too small: every node takes a /24 of it`,
    });
  }
  if (problems.length > 0) throw new ConfigError('ballast server', problems);
  return {
    ...nodeSettings(keys),
    cluster,
    bindAddress: keys['bind-address'] ?? '0.0.0.0',
    advertiseAddress: keys['advertise-address'],
    apiPort: keys['https-listen-port'] ?? API_PORT,
    supervisorPort: keys['supervisor-port'] ?? SUPERVISOR_PORT,
    altNames: keys['tls-san'] ?? [],
    secret: keys.token,
    kubeconfigPath: keys['write-kubeconfig'] ?? '/etc/ballast/kubeconfig.yaml',
  };
}

export async function agentSettings(keys: AgentKeys): Promise<AgentSettings> {
  const problems: ConfigProblem[] = [];
  if (keys.server === undefined)
    problems.push({ path: 'server', message: 'is missing: which server to join, https://HOST:9345' });
  const file = keys['token-file'];
  let token = keys.token;
  if (token === undefined && file !== undefined) {
    try {
      token = (await readFile(file, 'utf8')).trim();
    } catch (error) {
      problems.push({ path: 'token-file', message: `${file} cannot be read (${errnoOf(error) ?? String(error)})` });
    }
  } else if (token === undefined) {
    problems.push({
      path: 'token',
      message: 'is missing: the server keeps it in <data-dir>/server/token (token-file works too)',
    });
  }
  if (problems.length > 0 || keys.server === undefined || token === undefined)
    throw new ConfigError('ballast agent', problems);
  return { ...nodeSettings(keys), server: keys.server, token };
}

function nodeSettings(keys: ServerKeys | AgentKeys): NodeSettings {
  const dataDir = keys['data-dir'] ?? '/var/lib/ballast';
  return {
    dataDir,
    runDir: keys['run-dir'] ?? '/run/ballast',
    nodeName: keys['node-name'] ?? hostname().toLowerCase(),
    nodeIp: keys['node-ip'],
    labels: Object.fromEntries((keys['node-label'] ?? []).map((text) => splitAt(text, '='))),
    taints: (keys['node-taint'] ?? []).map(parseTaint),
    imageDir: keys['image-dir'] ?? `${dataDir}/images`,
    cniBinDir: keys['cni-bin-dir'] ?? '/usr/lib/cni',
    debug: keys.debug ?? false,
  };
}

function addressIn(cidrText: string, offset: number): string {
  const cidr = parseCidr(cidrText);
  if (!cidr) throw new BallastError('config-invalid', `${cidrText} is not a prefix`);
  return formatIp(cidrAddress(cidr, offset));
}

function parsePortRange(text: string): readonly [number, number] | undefined {
  const match = /^(\d{1,5})-(\d{1,5})$/.exec(text);
  const [first, last] = [Number(match?.[1]), Number(match?.[2])];
  return match && first >= 1 && first <= last && last <= 65535 ? [first, last] : undefined;
}

function parseTaint(text: string): Taint {
  const [left, effect] = splitAt(text, ':');
  const [key, value] = splitAt(left, '=');
  // The schema has admitted nothing else.
  const typed = effect as Taint['effect'];
  return left.includes('=') ? { key, value, effect: typed } : { key, effect: typed };
}

function splitAt(text: string, separator: string): [string, string] {
  const at = text.indexOf(separator);
  return at < 0 ? [text, ''] : [text.slice(0, at), text.slice(at + 1)];
}

/**
 * Keys of the configuration file overlaid with flags. A file that was not asked for by name may be missing. Problems of file and flags
 * come in one error.
 */
export async function readKeys<Schema extends z.ZodType<Record<string, unknown>>>(options: {
  schema: Schema;
  path: string | undefined;
  flags: Readonly<Record<string, unknown>>;
}): Promise<z.output<Schema>> {
  const path = options.path ?? DEFAULT_CONFIG_PATH;
  const problems: string[] = [];
  let fromFile: Record<string, unknown> = {};
  try {
    const text = await readFile(path, 'utf8').catch((error: unknown) => {
      if (errnoOf(error) === 'ENOENT' && options.path === undefined) return '';
      throw new ConfigError(
        path,
        [{ path: '', message: `cannot be read (${errnoOf(error) ?? String(error)})` }],
        'config-unreadable',
      );
    });
    fromFile = parseConfig(options.schema, text, path);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    problems.push(error.message);
  }
  const flags = options.schema.safeParse(options.flags);
  if (!flags.success) {
    problems.push(...flags.error.issues.map((issue) => `--${issue.path[0]?.toString() ?? ''}: ${issue.message}`));
  }
  if (problems.length > 0 || !flags.success) throw new BallastError('config-invalid', problems.join('\n'));
  return options.schema.parse({ ...fromFile, ...flags.data });
}
