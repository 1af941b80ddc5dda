import { writeFileSync } from 'node:fs';
import { connect, createServer, type Socket } from 'node:net';
import { enterNetworkNamespace } from '@ballast/linux';
import { cgroupProcsFiles } from './control-groups.ts';

/**
 * A process of the lab that makes one TCP port of the LAN reachable at the host's loopback. It listens first and moves into the lab's
 * network afterwards: the listening socket stays on the host, connections onward start at the switch. It belongs to the lab's control
 * group, so it goes when the lab goes.
 *
 * argv[2]: JSON of HostPortArguments. Prints the port it listens on, then serves until killed.
 */
export interface HostPortArguments {
  /** 0 for any free port. */
  readonly listenPort: number;
  readonly targetHost: string;
  readonly targetPort: number;
  readonly networkNamespace: string;
  readonly hierarchies: readonly string[];
  readonly group: string;
}

function bridge(from: Socket, to: Socket): void {
  const end = () => {
    from.destroy();
    to.destroy();
  };
  from.on('error', end).on('close', end);
  to.on('error', end).on('close', end);
  from.setNoDelay(true);
  to.setNoDelay(true);
  from.pipe(to).pipe(from);
}

const args = JSON.parse(process.argv[2] ?? '{}') as HostPortArguments;
for (const file of cgroupProcsFiles(args.hierarchies, args.group)) writeFileSync(file, '0');
const server = createServer((socket) => {
  bridge(socket, connect({ host: args.targetHost, port: args.targetPort, autoSelectFamily: false }));
});
server.on('error', (error) => {
  console.log(`error ${error.message}`);
  process.exit(1);
});
server.listen(args.listenPort, '127.0.0.1', () => {
  const address = server.address();
  enterNetworkNamespace(args.networkNamespace);
  console.log(`port ${typeof address === 'object' ? address?.port : ''}`);
});
