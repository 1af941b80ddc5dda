import type { ResourceCall } from '../endpoints/resource-endpoint.ts';
import type { ResourceDefinition } from '../resources/definition.ts';
import { serveScale } from './scale.ts';
import { serveStatus } from './status.ts';

/** Answers one request to a subresource; `verb` is authorised already. */
export type SubresourceHandler = (call: ResourceCall, verb: string) => Promise<void>;

/** Subresources that only some resources have: 'storageKey/subresource'. Adding one is a file and a line. */
const HANDLERS: Readonly<Record<string, SubresourceHandler>> = {};

export function findSubresource(resource: ResourceDefinition, name: string): SubresourceHandler | undefined {
  if (name === 'status' && resource.hasStatus) return serveStatus;
  if (name === 'scale' && resource.scale) return serveScale;
  const key = `${resource.storageKey}/${name}`;
  return Object.hasOwn(HANDLERS, key) ? HANDLERS[key] : undefined;
}
