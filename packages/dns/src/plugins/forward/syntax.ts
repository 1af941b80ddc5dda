import { one, optional, rest } from '../../syntax/argument.ts';
import { directive, type Occurrence, option, repeated } from '../../syntax/directive.ts';
import { domain, duration, integer, oneOf, responseCode, word, zone } from '../../syntax/value.ts';
import { forwardTarget } from './upstream-address.ts';

const MAX_UPSTREAMS = 15;

export const forwardSyntax = directive({
  summary: 'Passes queries on to other DNS servers.',
  args: [one('FROM', zone), rest('TO', forwardTarget, { min: 1, max: MAX_UPSTREAMS })],
  options: {
    except: repeated('Leaves these domains to the next plugin.', rest('NAMES', domain, { min: 1 })),
    force_tcp: option('Asks over TCP even when the client came over UDP.'),
    prefer_udp: option(
      'Asks over UDP first even when the client came over TCP; a truncated answer is asked for again over TCP.',
    ),
    expire: option(
      'How long an unused connection stays open; 10s by default.',
      one('DURATION', duration({ minMs: 1 })),
    ),
    read_timeout: option('How long to wait for one answer; 2s by default.', one('DURATION', duration({ minMs: 1 }))),
    max_fails: option(
      'Failed probes in a row after which an upstream is down; 2 by default, 0 never.',
      one('COUNT', integer({ min: 0, max: 1000 })),
    ),
    max_connect_attempts: option(
      'Upstreams tried for one query; twice their number by default, 0 as many as fit in 5s.',
      one('COUNT', integer({ min: 0, max: 1000 })),
    ),
    tls: option(
      'Certificate, key and CA for tls:// upstreams (none, CA, CERT KEY, or CERT KEY CA).',
      rest('FILE', word, { max: 3 }),
    ),
    tls_servername: option('Name that the certificates of tls:// upstreams must be for.', one('NAME', word)),
    policy: option(
      'Order in which upstreams are tried; random by default.',
      one('POLICY', oneOf('random', 'round_robin', 'sequential')),
    ),
    health_check: option(
      'How often an upstream that failed is probed; 0.5s by default. no_rec clears RD, domain sets the name asked for.',
      one('DURATION', duration({ minMs: 1 })),
      optional('no_rec', oneOf('no_rec'), { otherwise: undefined, when: /^no_rec$/ }),
      optional('domain', oneOf('domain'), { otherwise: undefined }),
      optional('NAME', domain, { otherwise: '.' }),
    ),
    max_concurrent: option(
      'Queries under way at a time; more are refused. 0, the default, is no limit.',
      one('COUNT', integer({ min: 0 })),
    ),
    next: repeated(
      'Leaves answers with these codes to the next `forward` of the block.',
      rest('RCODE', responseCode, { min: 1 }),
    ),
    next_on_nodata: option('Leaves empty answers to the next `forward` of the block.'),
    failover: repeated('Tries another upstream on these codes.', rest('RCODE', responseCode, { min: 1 })),
    failfast_all_unhealthy_upstreams: option('Fails at once when every upstream is down, instead of trying one.'),
  },
  repeatable: true,
  check({ args: [, targets], options }, report) {
    if (options.failover.flat(2).includes(0)) report('failover cannot name NOERROR');
    const usesTls = targets.some((target) => target.kind === 'server' && target.server.tls);
    if (!usesTls && (options.tls || options.tls_servername))
      report('tls and tls_servername need an upstream with tls://');
  },
});

export type ForwardOccurrence = Occurrence<(typeof forwardSyntax)['args'], (typeof forwardSyntax)['options']>;
