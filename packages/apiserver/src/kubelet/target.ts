import type { ResourceCall } from '../endpoints/resource-endpoint.ts';
import { methodNotAllowed } from '../object/failures.ts';
import { addressOfNode, containerOf, findPod, type NodeAddress } from './node-address.ts';

/** Where a streaming request goes on the node's agent. */
export interface KubeletTarget {
  readonly node: NodeAddress;
  /** Path and query. */
  readonly path: string;
}

/** Parameters that the agent knows by another name. */
const RENAMED: Readonly<Record<string, string>> = { stdin: 'input', stdout: 'output', stderr: 'error' };

/** exec, attach, portforward and log of a pod, in the agent's paths. */
export function kubeletTarget({
  kernel,
  path,
  exchange,
}: Pick<ResourceCall, 'kernel' | 'path' | 'exchange'>): KubeletTarget {
  const { pod, node } = findPod(kernel, path.namespace, path.name);
  const at = (verb: string, ...parts: readonly string[]) =>
    ['', verb, ...[path.namespace, path.name, ...parts].map(encodeURIComponent)].join('/');
  const { query } = exchange;
  switch (path.subresource) {
    case 'log':
      return {
        node,
        path: `${at('containerLogs', containerOf(pod, query.get('container')))}?${without(query, 'container')}`,
      };
    case 'exec':
    case 'attach': {
      const container = containerOf(pod, query.get('container'));
      return { node, path: `${at(path.subresource, container)}?${streamParameters(query)}` };
    }
    case 'portforward':
      return { node, path: `${at('portForward')}?${query}` };
    default:
      throw methodNotAllowed();
  }
}

/** A node's agent itself: everything below nodes/NAME/proxy. The name may carry a port. */
export function nodeProxyTarget({ kernel, path, exchange }: ResourceCall): KubeletTarget {
  const [, name = path.name, port] = /^(?:https?:)?([^:]+)(?::(\d+))?$/.exec(path.name) ?? [];
  const node = addressOfNode(kernel, name);
  const search = exchange.query.size > 0 ? `?${exchange.query}` : '';
  return { node: port ? { ...node, port: Number(port) } : node, path: `${path.rest || '/'}${search}` };
}

function without(query: URLSearchParams, name: string): URLSearchParams {
  const rest = new URLSearchParams(query);
  rest.delete(name);
  return rest;
}

/** 'stdin=true' is 'input=1' to the agent. */
function streamParameters(query: URLSearchParams): URLSearchParams {
  const parameters = new URLSearchParams();
  for (const [name, value] of query) {
    const renamed = RENAMED[name];
    if (name === 'container') continue;
    if (renamed !== undefined || name === 'tty') {
      if (value === 'true' || value === '1') parameters.append(renamed ?? name, '1');
    } else parameters.append(name, value);
  }
  return parameters;
}
