import type { Clock, Logger } from '@ballast/base';
import type { Store } from '@ballast/store';
import type { ServicePools } from './allocation/service-pools.ts';
import type { WatchCache } from './cache/watch-cache.ts';
import type { ServiceAccountTokens } from './identity/service-account-tokens.ts';
import type { KubeletConnection } from './kubelet/kubelet-connection.ts';
import type { ResourceDefinition } from './resources/definition.ts';
import type { ResourceRegistry } from './resources/registry.ts';

/** What all operations share: made once by startApiServer. */
export interface Kernel {
  readonly store: Store;
  readonly cache: WatchCache;
  readonly registry: ResourceRegistry;
  readonly tokens: ServiceAccountTokens;
  readonly pools: ServicePools;
  readonly kubelets: KubeletConnection;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Aborts when the server stops; long answers end with it. */
  readonly stopping: AbortSignal;
}

/** The object key of a name in this resource. */
export function objectKey(resource: Pick<ResourceDefinition, 'namespaced'>, namespace: string, name: string): string {
  return resource.namespaced ? `${namespace}/${name}` : name;
}
