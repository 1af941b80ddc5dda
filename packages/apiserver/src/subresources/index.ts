import type { ResourceCall } from '../endpoints/resource-endpoint.ts';
import type { ResourceDefinition } from '../resources/definition.ts';
import { serveBinding } from './binding.ts';
import { serveEviction } from './eviction.ts';
import { serveFinalize } from './finalize.ts';
import { serveLog } from './log.ts';
import { servePodPart } from './pod-part.ts';
import { serveNodeProxy, servePodProxy, serveServiceProxy } from './proxy.ts';
import { serveScale } from './scale.ts';
import { serveStatus } from './status.ts';
import { serveToken } from './token.ts';
import { serveUpgradeOnly } from './upgrade-only.ts';

/** Answers one request to a subresource; `verb` is authorised already. */
export type SubresourceHandler = (call: ResourceCall, verb: string) => Promise<void>;

/** Subresources that only some resources have: 'storageKey/subresource'. Adding one is a file and a line. */
const HANDLERS: Readonly<Record<string, SubresourceHandler>> = {
  'namespaces/finalize': serveFinalize,
  'nodes/proxy': serveNodeProxy,
  'pods/attach': serveUpgradeOnly,
  'pods/binding': serveBinding,
  'pods/ephemeralcontainers': servePodPart,
  'pods/eviction': serveEviction,
  'pods/exec': serveUpgradeOnly,
  'pods/log': serveLog,
  'pods/portforward': serveUpgradeOnly,
  'pods/proxy': servePodProxy,
  'pods/resize': servePodPart,
  'serviceaccounts/token': serveToken,
  'services/proxy': serveServiceProxy,
};

export function findSubresource(resource: ResourceDefinition, name: string): SubresourceHandler | undefined {
  if (name === 'status' && resource.hasStatus) return serveStatus;
  if (name === 'scale' && resource.scale) return serveScale;
  const key = `${resource.storageKey}/${name}`;
  return Object.hasOwn(HANDLERS, key) ? HANDLERS[key] : undefined;
}
