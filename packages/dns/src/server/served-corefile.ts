import { type Clock, type Logger, MetricsRegistry, SimulatedClock, silentLogger } from '@ballast/base';
import type { KubeClient } from '@ballast/kube';
import type { Peer } from '../chain/query.ts';
import { createMemoryTransport, type MemoryTransport } from '../transport/memory.ts';
import { formatRecord, type Message, makeQuery, type ResourceRecord } from '../wire/message.ts';
import { rcodeName, typeByName } from '../wire/registry.ts';
import { type DnsServer, startDnsServer } from './dns-server.ts';

/** A server without sockets, asked in the notation of dig; for tests of plugins. */
export interface ServedCorefile extends AsyncDisposable {
  readonly server: DnsServer;
  readonly metrics: MetricsRegistry;
  readonly transport: MemoryTransport;
  /** 'NXDOMAIN' or the like, then one line for each record, those of authority and additional after '; ' marks. */
  ask(name: string, type?: string, options?: { client?: Peer; message?: Partial<Message> }): Promise<string>;
}

/** Serves Corefile text in memory. */
export async function serveCorefile(
  text: string,
  options: { client?: KubeClient; clock?: Clock; logger?: Logger } = {},
): Promise<ServedCorefile> {
  const transport = createMemoryTransport();
  const metrics = new MetricsRegistry();
  const server = await startDnsServer({
    corefile: { text },
    logger: options.logger ?? silentLogger,
    clock: options.clock ?? new SimulatedClock(),
    listenHost: 'memory',
    transports: [transport.open],
    metrics,
    ...(options.client ? { client: options.client } : {}),
  });
  return {
    server,
    metrics,
    transport,
    async ask(name, type = 'A', { client, message } = {}) {
      const query = makeQuery({ name, type: typeByName(type) ?? 0 }, message);
      const answer = await transport.ask(query, client ? { client } : {});
      return answer ? formatAnswer(answer) : 'nothing';
    },
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
}

function formatAnswer(answer: Message): string {
  const section = (mark: string, records: readonly ResourceRecord[]) =>
    records.map((record) => `${mark}${formatRecord(record)}`);
  return [
    rcodeName(answer.rcode),
    ...section('', answer.answers),
    ...section('; authority ', answer.authorities),
    ...section('; additional ', answer.additionals),
  ].join('\n');
}
