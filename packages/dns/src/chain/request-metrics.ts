import { rcodeName, TYPE, typeName } from '../wire/registry.ts';
import { type DnsMetrics, DURATION_BUCKETS, SIZE_BUCKETS } from './metrics.ts';
import type { Observation } from './plugin.ts';
import { rcodeOf } from './query.ts';

/** Types that get their own label value; a client must not be able to make up series. */
const LABELLED: ReadonlySet<number> = new Set([
  ...[TYPE.A, TYPE.AAAA, TYPE.CNAME, TYPE.DNSKEY, TYPE.DS, TYPE.MX, TYPE.NSEC, TYPE.NSEC3, TYPE.NS, TYPE.PTR],
  ...[TYPE.RRSIG, TYPE.SOA, TYPE.SRV, TYPE.TXT, TYPE.HTTPS, TYPE.SVCB, TYPE.IXFR, TYPE.AXFR, TYPE.ANY],
]);

/** Views are not supported; the label stays for the dashboards' sake. */
const VIEW = '';

/** The request and response families of CoreDNS's `prometheus` plugin, with its labels. */
export class RequestMetrics {
  readonly #requests;
  readonly #durations;
  readonly #requestSizes;
  readonly #responseSizes;
  readonly #dnssecRequests;
  readonly #responses;

  constructor(metrics: DnsMetrics) {
    const block = ['server', 'zone', 'view'];
    this.#requests = metrics.counter({
      name: 'dns_requests_total',
      help: 'DNS requests by server, zone, protocol, address family and type.',
      labels: [...block, 'proto', 'family', 'type'],
    });
    this.#durations = metrics.histogram({
      name: 'dns_request_duration_seconds',
      help: 'Time from the arrival of a request to its answer.',
      labels: block,
      buckets: DURATION_BUCKETS,
    });
    const sizes = { labels: [...block, 'proto'], buckets: SIZE_BUCKETS };
    this.#requestSizes = metrics.histogram({ name: 'dns_request_size_bytes', help: 'Size of requests.', ...sizes });
    this.#responseSizes = metrics.histogram({ name: 'dns_response_size_bytes', help: 'Size of responses.', ...sizes });
    this.#dnssecRequests = metrics.counter({
      name: 'dns_do_requests_total',
      help: 'DNS requests with the DO bit set.',
      labels: block,
    });
    this.#responses = metrics.counter({
      name: 'dns_responses_total',
      help: 'DNS responses by server, zone, code and the plugin that made them.',
      labels: [...block, 'rcode', 'plugin'],
    });
  }

  count(observation: Observation, server: string, zone: string): void {
    const { query, outcome, times } = observation;
    const block = [server, zone, VIEW];
    const family = query.client.address.includes(':') ? '2' : '1';
    const type = LABELLED.has(query.type) ? typeName(query.type) : 'other';
    this.#requests.inc([...block, query.protocol, family, type], times);
    if (query.request.edns?.dnssecOk) this.#dnssecRequests.inc(block, times);
    const rcode = rcodeOf(outcome);
    if (rcode !== undefined) this.#responses.inc([...block, rcodeName(rcode), outcome.plugin], times);
    this.#durations.observe(observation.seconds, block, times);
    const sized = [...block, query.protocol];
    this.#requestSizes.observe(query.requestOctets, sized, times);
    if (rcode !== undefined) this.#responseSizes.observe(observation.replyOctets, sized, times);
  }
}
