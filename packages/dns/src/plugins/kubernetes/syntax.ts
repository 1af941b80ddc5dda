import { one, optional, rest } from '../../syntax/argument.ts';
import { directive, type Occurrence, option, repeated } from '../../syntax/directive.ts';
import { duration, integer, oneOf, word, zone } from '../../syntax/value.ts';

const RATE_LIMIT = 'Accepted for compatibility: one watch per kind needs no limit.';
const namespace = word;

export const kubernetesSyntax = directive({
  summary: 'Answers names of Services and pods, by the Kubernetes DNS specification 1.1.0.',
  args: [rest('ZONES', zone)],
  options: {
    kubeconfig: option(
      'Reads the API server and credentials from this file; its current context is used.',
      one('FILE', word),
      optional('CONTEXT', word, { otherwise: undefined }),
    ),
    namespaces: repeated('Shows these namespaces only.', rest('NAMESPACE', namespace, { min: 1 })),
    namespace_labels: option('Shows namespaces with these labels only.', rest('EXPRESSION', word, { min: 1 })),
    labels: option(
      'Shows Services, EndpointSlices and pods with these labels only.',
      rest('EXPRESSION', word, { min: 1 }),
    ),
    pods: option(
      'Names such as 10-42-0-7.NAMESPACE.pod.ZONE: disabled (the default), insecure (any address), or verified (only live pods).',
      one('MODE', oneOf('disabled', 'insecure', 'verified')),
    ),
    endpoint_pod_names: option('Names endpoints without a host name after their pod instead of their address.'),
    ttl: option('TTL of the answers; 5 by default, 0 is never cached.', one('SECONDS', integer({ min: 0, max: 3600 }))),
    noendpoints: option('Does without EndpointSlices: headless Services and endpoints have no names.'),
    ignore: option(
      'empty_service: a Service without ready endpoints does not exist.',
      one('WHAT', oneOf('empty_service')),
    ),
    fallthrough: option('Lets the next plugin try names that do not exist here.', rest('ZONES', zone)),
    startup_timeout: option(
      'How long to wait for the API server before answering; 5s by default.',
      one('DURATION', duration()),
    ),
    apiserver_qps: option(RATE_LIMIT, one('QPS', word)),
    apiserver_burst: option(RATE_LIMIT, one('BURST', word)),
    apiserver_max_inflight: option(RATE_LIMIT, one('COUNT', word)),
  },
  check({ options }, report) {
    if (options.namespaces.length > 0 && options.namespace_labels) {
      report('namespaces and namespace_labels cannot be combined; keep one');
    }
    if (options.noendpoints && options.ignore) report('ignore empty_service needs EndpointSlices; remove noendpoints');
    if (options.kubeconfig?.[1] !== undefined) {
      report('kubeconfig with a CONTEXT is not supported yet; set current-context in the file');
    }
  },
});

export type KubernetesOccurrence = Occurrence<(typeof kubernetesSyntax)['args'], (typeof kubernetesSyntax)['options']>;
