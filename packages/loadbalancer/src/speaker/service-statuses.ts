import { isDeepStrictEqual } from 'node:util';
import {
  type Informer,
  isApiError,
  type KubeClient,
  keyOf,
  type OwnerReference,
  type Resource,
  splitKey,
} from '@ballast/kube';
import { METALLB_NAMESPACE, type ServiceStatusRecord } from '../resources/kinds.ts';

const NODE_LABEL = 'metallb.io/node';
const NAME_LABEL = 'metallb.io/service-name';
const NAMESPACE_LABEL = 'metallb.io/service-namespace';

/** 'namespace/name' of the Service that a status object is about; an index of informers. */
export function serviceOfStatus(object: ServiceStatusRecord): string[] {
  const { [NAME_LABEL]: name, [NAMESPACE_LABEL]: namespace } = object.metadata.labels ?? {};
  return name === undefined ? [] : [`${namespace ?? ''}/${name}`];
}

export const BY_SERVICE = 'service';

/**
 * Makes the status objects of one Service say what this node does: `wanted` is the part of the status that differs by kind, or undefined
 * when the node announces nothing. With `exclusive`, those of other nodes are removed, as only one node can announce.
 */
export async function writeServiceStatus(options: {
  readonly client: KubeClient;
  readonly resource: Resource<ServiceStatusRecord>;
  readonly informer: Pick<Informer<ServiceStatusRecord>, 'byIndex'>;
  readonly prefix: 'l2-' | 'bgp-';
  readonly service: string;
  readonly node: string;
  readonly exclusive: boolean;
  /** Whose removal removes the object: the node. */
  readonly owners: readonly OwnerReference[];
  readonly wanted: Pick<NonNullable<ServiceStatusRecord['status']>, 'interfaces' | 'peers'> | undefined;
}): Promise<void> {
  const { client, resource, service, node, wanted } = options;
  const { namespace = '', name } = splitKey(service);
  const existing = [...options.informer.byIndex(BY_SERVICE, service)];
  const mine = existing.filter((object) => object.metadata.labels?.[NODE_LABEL] === node);
  const others = existing.filter((object) => object.metadata.labels?.[NODE_LABEL] !== node);
  const superfluous = [...(wanted ? mine.slice(1) : mine), ...(wanted && options.exclusive ? others : [])];
  for (const object of superfluous) {
    try {
      await client.delete(resource, splitKey(keyOf(object)));
    } catch (error) {
      if (!isApiError(error, 'NotFound')) throw error;
    }
  }
  if (!wanted) return;
  const status = { node, serviceName: name, serviceNamespace: namespace, ...wanted };
  const current = mine[0];
  if (current && isDeepStrictEqual(current.status, status)) return;
  const object =
    current ??
    (await client.create(resource, {
      apiVersion: `${resource.group}/${resource.version}`,
      kind: resource.kind,
      metadata: {
        name: '',
        generateName: options.prefix,
        namespace: METALLB_NAMESPACE,
        ownerReferences: [...options.owners],
        labels: { [NODE_LABEL]: node, [NAME_LABEL]: name, [NAMESPACE_LABEL]: namespace },
      },
      spec: {},
    }));
  const ref = { namespace: METALLB_NAMESPACE, name: object.metadata.name };
  await client.patch(resource, ref, { type: 'merge', body: { status } }, { subresource: 'status' });
}
