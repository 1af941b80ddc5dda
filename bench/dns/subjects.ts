import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { forEachHost, ZONE } from './zone.ts';

/** A server to measure. */
export interface Subject {
  readonly title: string;
  /** Undefined when it is not installed. */
  readonly command: readonly string[] | undefined;
}

export interface SubjectOptions {
  readonly port: number;
  /** Scratch space for configuration files. */
  readonly folder: string;
  readonly find: (program: string) => string | undefined;
}

const ours = (kind: string, port: number): readonly string[] => [
  process.execPath,
  fileURLToPath(new URL('./server-process.ts', import.meta.url)),
  kind,
  String(port),
];

/** Everything that is compared, in the order of the table. */
export async function subjects(options: SubjectOptions): Promise<Subject[]> {
  const { port } = options;
  return [
    { title: 'Ballast (hosts + cache, 1 worker)', command: ours('workers', port) },
    { title: 'Ballast, every query through the chain', command: ours('workers-chain', port) },
    { title: 'Ballast on node:dgram (hosts + cache)', command: ours('dgram', port) },
    { title: 'bare node:dgram, ready answers', command: ours('bare-dgram', port) },
    { title: 'Unbound (local data, 1 thread)', command: await unbound(options) },
    { title: 'NSD (1 server)', command: await nsd(options) },
  ];
}

async function unbound({ port, folder, find }: SubjectOptions): Promise<readonly string[] | undefined> {
  const program = find('unbound');
  if (program === undefined) return undefined;
  const path = join(folder, 'unbound.conf');
  const data = forEachHost((name, address) => `  local-data: "${name}. 3600 IN A ${address}"`);
  await writeFile(
    path,
    `server:
  interface: 127.0.0.1
  port: ${port}
  do-daemonize: no
  num-threads: 1
  use-syslog: no
  chroot: ""
  username: ""
  directory: "${folder}"
  pidfile: "${folder}/unbound.pid"
  module-config: "iterator"
  local-zone: "${ZONE}." static
${data}
remote-control:
  control-enable: no
`,
  );
  return [program, '-d', '-c', path];
}

async function nsd({ port, folder, find }: SubjectOptions): Promise<readonly string[] | undefined> {
  const program = find('nsd');
  if (program === undefined) return undefined;
  const home = join(folder, 'nsd');
  await mkdir(home, { recursive: true });
  const records = forEachHost((name, address) => `${name}. 3600 IN A ${address}`);
  const soa = `${ZONE}. 3600 IN SOA ns.${ZONE}. h.${ZONE}. 1 7200 1800 86400 30\n${ZONE}. 3600 IN NS ns.${ZONE}.\n`;
  await writeFile(join(home, 'zone'), soa + records);
  await writeFile(
    join(home, 'nsd.conf'),
    `server:
  ip-address: 127.0.0.1@${port}
  server-count: 1
  username: ""
  zonesdir: "${home}"
  database: ""
  pidfile: "${home}/nsd.pid"
  xfrdfile: "${home}/xfrd.state"
  zonelistfile: "${home}/zone.list"
  xfrdir: "${home}"
remote-control:
  control-enable: no
zone:
  name: ${ZONE}
  zonefile: zone
`,
  );
  return [program, '-d', '-c', join(home, 'nsd.conf')];
}
