import type { RequestOptions } from 'node:http';
import type { ResourceCall } from '../endpoints/resource-endpoint.ts';
import { forward } from '../kubelet/forward.ts';
import { nodeProxyTarget } from '../kubelet/target.ts';
import { type ApiObject, isJsonObject, listAt, numberAt, textAt } from '../object/api-object.ts';
import { badRequest, failure, notFound } from '../object/failures.ts';
import type { SubresourceHandler } from './index.ts';

/** Where a proxied request goes. */
export type ProxyTarget = RequestOptions & { tls: boolean };

export const serveNodeProxy: SubresourceHandler = (call) =>
  forward(call.exchange, nodeTarget(call), call.kernel.stopping);

export const servePodProxy: SubresourceHandler = (call) =>
  forward(call.exchange, podTarget(call), call.kernel.stopping);

export const serveServiceProxy: SubresourceHandler = (call) =>
  forward(call.exchange, serviceTarget(call), call.kernel.stopping);

export function nodeTarget(call: ResourceCall): ProxyTarget {
  const { node, path } = nodeProxyTarget(call);
  const { agent, tlsOptions } = call.kernel.kubelets;
  return { tls: true, ...node, path, agent, ...tlsOptions } as ProxyTarget;
}

/** '[scheme:]name[:port]', as pods and services are named in proxy paths. */
function parseName(text: string): { scheme: 'http' | 'https'; name: string; port: string } {
  const match = /^(?:(https?):)?([^:]+)(?::([^:]*))?$/.exec(text);
  if (!match) throw badRequest(`invalid proxy name ${JSON.stringify(text)}: expected [scheme:]name[:port]`);
  return { scheme: match[1] === 'https' ? 'https' : 'http', name: match[2] ?? '', port: match[3] ?? '' };
}

function pathOf({ path, exchange }: ResourceCall): string {
  return `${path.rest || '/'}${exchange.query.size > 0 ? `?${exchange.query}` : ''}`;
}

export function podTarget(call: ResourceCall): ProxyTarget {
  const { scheme, name, port } = parseName(call.path.name);
  const pod = call.kernel.cache.of('pods').get(`${call.path.namespace}/${name}`)?.parse();
  if (!pod) throw notFound(call.resource, name);
  const host = textAt(pod, 'status', 'podIP');
  if (!host) throw badRequest('address not allowed: the pod has no address yet');
  return {
    tls: scheme === 'https',
    rejectUnauthorized: false,
    host,
    port: podPort(pod, port),
    path: pathOf(call),
  } as ProxyTarget;
}

function podPort(pod: ApiObject, wanted: string): number {
  const ports = listAt(pod, 'spec', 'containers')
    .flatMap((container) => listAt(container, 'ports'))
    .filter(isJsonObject);
  if (wanted === '') return numberAt(ports[0], 'containerPort') ?? 80;
  const named = ports.find((port) => port.name === wanted);
  const port = Number(named?.containerPort ?? wanted);
  if (!Number.isInteger(port) || port < 1 || port > 65535) throw badRequest(`invalid port ${JSON.stringify(wanted)}`);
  return port;
}

/** A ready endpoint of the Service, by chance. */
export function serviceTarget(call: ResourceCall): ProxyTarget {
  const { scheme, name, port } = parseName(call.path.name);
  const { kernel, path, resource } = call;
  const service = kernel.cache.of('services').get(`${path.namespace}/${name}`)?.parse();
  if (!service) throw notFound(resource, name);
  const ports = listAt(service, 'spec', 'ports').filter(isJsonObject);
  const chosen = ports.find((one) => port === '' || one.name === port || String(one.port) === port);
  if (!chosen)
    throw failure(
      'ServiceUnavailable',
      `no service port ${JSON.stringify(port)} found for service ${JSON.stringify(name)}`,
    );
  const candidates: { host: string; port: number }[] = [];
  for (const cached of kernel.cache.of('endpointslices.discovery.k8s.io').objects(path.namespace)) {
    const slice = cached.parse();
    if (slice.metadata.labels?.['kubernetes.io/service-name'] !== name) continue;
    const slicePort = listAt(slice, 'ports').find((one) => (textAt(one, 'name') ?? '') === (chosen.name ?? ''));
    const number = numberAt(slicePort, 'port');
    if (number === undefined) continue;
    for (const endpoint of listAt(slice, 'endpoints')) {
      const [host] = listAt(endpoint, 'addresses');
      const ready =
        isJsonObject(endpoint) && isJsonObject(endpoint.conditions) ? endpoint.conditions.ready !== false : true;
      if (ready && typeof host === 'string') candidates.push({ host, port: number });
    }
  }
  const target = candidates[Math.floor(Math.random() * candidates.length)];
  if (!target) throw failure('ServiceUnavailable', `no endpoints available for service ${JSON.stringify(name)}`);
  return { tls: scheme === 'https', rejectUnauthorized: false, ...target, path: pathOf(call) } as ProxyTarget;
}
