import { createHash } from 'node:crypto';
import { aggregatedDiscovery } from '../discovery/aggregated.ts';
import { coreVersions, groupDocument, groupList, groupsOf, resourceList } from '../discovery/legacy.ts';
import { type Exchange, headerOf } from '../http/exchange.ts';
import { parseAccept } from '../http/media-type.ts';
import { send, writeHead } from '../http/respond.ts';
import { failure, noSuchPath } from '../object/failures.ts';
import type { ResourceRegistry } from '../resources/registry.ts';

interface Document {
  readonly body: Buffer;
  readonly etag: string;
}

/** What is served, in all its forms. Documents are written once and again when the resources change. */
export class DiscoveryEndpoint {
  readonly #registry: ResourceRegistry;
  readonly #serverAddress: string;
  readonly #documents = new Map<string, Document>();

  constructor(registry: ResourceRegistry, serverAddress: string) {
    this.#registry = registry;
    this.#serverAddress = serverAddress;
    registry.onChange(() => this.#documents.clear());
  }

  /** True when the path was one of discovery's. */
  handles(path: string): boolean {
    return /^\/apis?(\/[^/]*){0,2}\/?$/.test(path);
  }

  async serve(exchange: Exchange): Promise<void> {
    const path = exchange.path.replace(/\/$/, '');
    if (exchange.method !== 'GET' && exchange.method !== 'HEAD') {
      throw failure('MethodNotAllowed', 'the server does not allow this method on the requested resource', {});
    }
    if (path === '/api' || path === '/apis') return this.#serveRoot(exchange, path === '/api');
    const [, root, first = '', second] = path.split('/');
    const { all } = this.#registry;
    const version = root === 'api' ? first : second;
    if (root === 'apis' && version === undefined) {
      const group = groupsOf(all).find((known) => known.group === first);
      if (!group || first === '') throw noSuchPath();
      return this.#send(exchange, path, () => ({ kind: 'APIGroup', apiVersion: 'v1', ...groupDocument(group) }));
    }
    const groupVersion = root === 'api' ? first : `${first}/${version}`;
    const group = root === 'api' ? '' : first;
    if (!all.some((resource) => resource.group === group && resource.version === version)) throw noSuchPath();
    return this.#send(exchange, path, () => resourceList(all, groupVersion));
  }

  async #serveRoot(exchange: Exchange, core: boolean): Promise<void> {
    const { all } = this.#registry;
    for (const { type, parameters } of parseAccept(headerOf(exchange.request, 'accept'))) {
      if (type !== 'application/json' && type !== '*/*' && type !== 'application/*') continue;
      const { g, v, as } = parameters;
      if (g === undefined && as === undefined) {
        const legacy = () => (core ? coreVersions(this.#serverAddress) : groupList(all));
        return this.#send(exchange, core ? '/api' : '/apis', legacy);
      }
      if (g === 'apidiscovery.k8s.io' && v === 'v2' && as === 'APIGroupDiscoveryList') {
        const contentType = 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList';
        const key = core ? '/api aggregated' : '/apis aggregated';
        return this.#send(exchange, key, () => aggregatedDiscovery(all, core), contentType);
      }
    }
    throw failure('NotAcceptable', 'only the following media types are accepted: application/json', {});
  }

  async #send(exchange: Exchange, key: string, make: () => object, contentType = 'application/json'): Promise<void> {
    let document = this.#documents.get(key);
    if (!document) {
      const body = Buffer.from(JSON.stringify(make()));
      document = { body, etag: `"${createHash('sha256').update(body).digest('hex').toUpperCase()}"` };
      this.#documents.set(key, document);
    }
    const headers = { etag: document.etag, vary: 'Accept' };
    if (headerOf(exchange.request, 'if-none-match') === document.etag) {
      writeHead(exchange, 304, headers);
      exchange.response.end();
      return;
    }
    await send(exchange, { code: 200, body: document.body, contentType, headers });
  }
}
