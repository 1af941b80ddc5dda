import { createHash } from 'node:crypto';
import { type Exchange, headerOf } from '../http/exchange.ts';
import { send, sendJson } from '../http/respond.ts';
import { noSuchPath } from '../object/failures.ts';
import {
  OPENAPI_V2_PROTOBUF,
  openApiPath,
  openApiV2Json,
  openApiV2Protobuf,
  openApiV3Document,
  openApiV3Index,
} from '../openapi/index.ts';
import type { ResourceDefinition } from '../resources/definition.ts';
import type { ResourceRegistry } from '../resources/registry.ts';

/** /openapi/v3 and the documents below it, each made on first use and again when its group version changes. */
export class OpenApiEndpoint {
  readonly #registry: ResourceRegistry;
  readonly #documents = new Map<string, { readonly resources: readonly ResourceDefinition[]; readonly body: Buffer }>();
  readonly #version: string;

  constructor(registry: ResourceRegistry, version: string) {
    this.#registry = registry;
    this.#version = version;
  }

  async serve(exchange: Exchange): Promise<void> {
    const path = exchange.path.replace(/^\/openapi\/v3\/?/, '');
    if (path === '') {
      const index = Buffer.from(JSON.stringify(openApiV3Index(this.#all())));
      return send(exchange, { code: 200, body: index });
    }
    const body = this.#document(path, this.#byPath().get(path));
    const etag = `"${createHash('sha512').update(body).digest('hex').toUpperCase()}"`;
    // The index names documents by their hash, so what was fetched by hash never changes.
    const cache: Record<string, string> = exchange.query.has('hash')
      ? { 'cache-control': 'public, max-age=31536000, immutable' }
      : {};
    await send(exchange, { code: 200, body, headers: { etag, ...cache } });
  }

  /** /openapi/v2, in protobuf for who asks for it by its (old or new) name. */
  async serveV2(exchange: Exchange): Promise<void> {
    const { all } = this.#registry;
    if (/proto-openapi\.spec\.v2/.test(headerOf(exchange.request, 'accept') ?? '')) {
      const body = Buffer.from(openApiV2Protobuf([...all], this.#version));
      return send(exchange, { code: 200, body, contentType: OPENAPI_V2_PROTOBUF });
    }
    await sendJson(exchange, 200, openApiV2Json([...all], this.#version));
  }

  #byPath(): Map<string, ResourceDefinition[]> {
    const paths = new Map<string, ResourceDefinition[]>();
    for (const resource of this.#registry.all) {
      const path = openApiPath(resource);
      const known = paths.get(path);
      if (known) known.push(resource);
      else paths.set(path, [resource]);
    }
    return paths;
  }

  #all(): Map<string, Buffer> {
    return new Map([...this.#byPath()].map(([path, resources]) => [path, this.#document(path, resources)]));
  }

  #document(path: string, resources: readonly ResourceDefinition[] | undefined): Buffer {
    if (!resources) throw noSuchPath();
    const known = this.#documents.get(path);
    if (
      known &&
      known.resources.length === resources.length &&
      known.resources.every((one, i) => one === resources[i])
    ) {
      return known.body;
    }
    const body = Buffer.from(JSON.stringify(openApiV3Document(resources, this.#version)));
    this.#documents.set(path, { resources, body });
    return body;
  }
}
