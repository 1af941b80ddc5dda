import { type CustomResourceDefinition, RESOURCES } from '@ballast/kube';
import type { WatchCache } from '../cache/watch-cache.ts';
import { completeNames, crdStatus, type TakenNames } from '../crd/index.ts';
import { CRD_STORAGE_KEY } from '../custom-resources/custom-definitions.ts';
import { type ApiObject, formatTime } from '../object/api-object.ts';
import type { WriteContext } from '../operations/write-context.ts';
import type { ResourceSpecifics } from './definition.ts';

/** A definition gets its conditions as it is written, so that its resources are served when the write is acknowledged. */
export const customResourceDefinitions: ResourceSpecifics = {
  returnsDeleted: true,
  deletionFinalizer: 'customresourcecleanup.apiextensions.k8s.io',
  hooks: { prepareForCreate: settle, prepareForUpdate: (object, _old, context) => settle(object, context) },
};

function settle(object: ApiObject, { kernel, subresource }: WriteContext): void {
  if (subresource !== '') return;
  const crd = asDefinition(object);
  // What is not even the shape of a definition is refused by validation, with better words.
  if (!Array.isArray(crd.spec?.versions) || !crd.spec.names?.plural || !crd.spec.names.kind) return;
  crd.spec.names = completeNames(crd.spec.names);
  crd.status = crdStatus(crd, takenNames(crd, kernel.cache), formatTime(kernel.clock.nowMs()));
}

function takenNames(crd: CustomResourceDefinition, cache: WatchCache): TakenNames {
  const resources = new Set<string>();
  const kinds = new Set<string>();
  const { group } = crd.spec;
  for (const type of RESOURCES) {
    if (type.group !== group) continue;
    for (const name of [type.plural, type.singular, ...type.shortNames]) resources.add(name);
    kinds.add(type.kind).add(`${type.kind}List`);
  }
  for (const cached of cache.of(CRD_STORAGE_KEY).objects()) {
    const other = asDefinition(cached.parse());
    const names = other.status?.acceptedNames;
    if (other.metadata.name === crd.metadata.name || other.spec.group !== group || !names) continue;
    for (const name of [names.plural, names.singular, ...(names.shortNames ?? [])]) if (name) resources.add(name);
    for (const name of [names.kind, names.listKind]) if (name) kinds.add(name);
  }
  return { resources, kinds };
}

function asDefinition(object: ApiObject): CustomResourceDefinition {
  return object as unknown as CustomResourceDefinition;
}
