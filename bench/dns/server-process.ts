/** One DNS server of ours in a process of its own: `node server-process.ts KIND PORT`. Prints 'ready' when it answers. */
import { createSocket } from 'node:dgram';
import { createLogger, systemClock } from '../../packages/base/src/index.ts';
import { startDnsServer } from '../../packages/dns/src/index.ts';
import { composeMessage, makeQuery, makeRecord, makeReply, TYPE } from '../../packages/dns/src/wire/index.ts';
import { forEachHost, hostAddress, hostName, NAMES } from './zone.ts';

const [kind = '', portText = ''] = process.argv.slice(2);
const port = Number(portText);

/** What Node's dgram costs when nothing is parsed: a table of ready answers by the octets of the question. */
async function serveBareDgram(): Promise<void> {
  const answers = new Map<string, Uint8Array>();
  for (let i = 0; i < NAMES; i++) {
    const query = makeQuery({ name: `${hostName(i)}.`, type: TYPE.A });
    const owner = { name: `${hostName(i)}.`, ttl: 3600 };
    const reply = makeReply(query, { answers: [makeRecord('A', owner, { address: hostAddress(i) })] });
    answers.set(Buffer.from(composeMessage(query)).toString('latin1', 2), composeMessage(reply));
  }
  const socket = createSocket('udp4');
  socket.on('message', (bytes, { port: to, address }) => {
    const known = answers.get(bytes.toString('latin1', 2));
    if (!known) return;
    const answer = Buffer.from(known);
    bytes.copy(answer, 0, 0, 2);
    socket.send(answer, to, address);
  });
  await new Promise<void>((resolve) => socket.bind(port, '127.0.0.1', resolve));
}

async function serveCorefile(options: { cache: boolean; udpWorkers: number }): Promise<void> {
  const hosts = forEachHost((name, address) => `${address} ${name}`);
  const text = `.:${port} {\n errors\n ${options.cache ? 'cache 3600' : ''}\n loadbalance\n hosts /dev/null {\n${hosts} }\n}`;
  await startDnsServer({
    corefile: { text },
    listenHost: '127.0.0.1',
    udpWorkers: options.udpWorkers,
    logger: createLogger({ level: 'error' }),
    clock: systemClock,
  });
}

switch (kind) {
  case 'bare-dgram':
    await serveBareDgram();
    break;
  case 'workers':
    await serveCorefile({ cache: true, udpWorkers: 1 });
    break;
  case 'workers-chain':
    await serveCorefile({ cache: false, udpWorkers: 1 });
    break;
  case 'dgram':
    await serveCorefile({ cache: true, udpWorkers: 0 });
    break;
  default:
    throw new Error(`unknown kind of server "${kind}"`);
}
process.stdout.write('ready\n');
