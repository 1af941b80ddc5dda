import type { Clock, Logger } from '@ballast/base';
import {
  ENDPOINT_SLICES,
  type EndpointSlice,
  type Informer,
  type KubeClient,
  type KubeObject,
  PODS,
  type Pod,
  type Resource,
  resourcePath,
  startInformer,
} from '@ballast/kube';
import { controllerOf } from './ownership.ts';

type IndexTable<T> = Readonly<Record<string, (object: T) => readonly string[]>>;

const byNamespace = (object: KubeObject): readonly string[] => [object.metadata.namespace ?? ''];
const byController = (object: KubeObject): readonly string[] => {
  const owner = controllerOf(object);
  return owner ? [owner.uid] : [];
};

/** What every resource is indexed by: namespace, uid of the controller, and namespace of those without one. */
const OWNED_INDEXES: IndexTable<KubeObject> = {
  namespace: byNamespace,
  controller: byController,
  /** Candidates for adoption. */
  orphan: (object) => (controllerOf(object) ? [] : byNamespace(object)),
};
const POD_INDEXES: IndexTable<Pod> = {
  ...OWNED_INDEXES,
  /** 'namespace name=value' for every label. */
  label: (pod) =>
    Object.entries(pod.metadata.labels ?? {}).map(([name, value]) => `${pod.metadata.namespace} ${name}=${value}`),
  node: (pod) => (pod.spec?.nodeName ? [pod.spec.nodeName] : []),
};
const SLICE_INDEXES: IndexTable<EndpointSlice> = {
  ...OWNED_INDEXES,
  /** Key of the Service. */
  service: (slice) => {
    const service = slice.metadata.labels?.['kubernetes.io/service-name'];
    return service ? [`${slice.metadata.namespace}/${service}`] : [];
  },
};

const path = (resource: Resource) => resourcePath(resource);
const INDEXES: ReadonlyMap<string, IndexTable<never>> = new Map<string, IndexTable<never>>([
  [path(PODS), POD_INDEXES],
  [path(ENDPOINT_SLICES), SLICE_INDEXES],
]);

/** One informer per resource for the whole process, started when first asked for. */
export class Informers implements AsyncDisposable {
  readonly #client: KubeClient;
  readonly #logger: Logger;
  readonly #clock: Clock;
  readonly #running = new Map<string, Informer<KubeObject>>();

  constructor(options: { client: KubeClient; logger: Logger; clock: Clock }) {
    this.#client = options.client;
    this.#logger = options.logger;
    this.#clock = options.clock;
  }

  of<T extends KubeObject>(resource: Resource<T>): Informer<T> {
    const key = path(resource);
    const known = this.#running.get(key);
    // The map is keyed by the resource, and the resource carries the type of its objects.
    if (known) return known as unknown as Informer<T>;
    const indexes = (INDEXES.get(key) ?? OWNED_INDEXES) as IndexTable<T>;
    const informer = startInformer(this.#client, resource, { indexes, logger: this.#logger, clock: this.#clock });
    this.#running.set(key, informer as unknown as Informer<KubeObject>);
    return informer;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([...this.#running.values()].map((informer) => informer[Symbol.asyncDispose]()));
  }
}
