import type {
  CustomResourceDefinition,
  CustomResourceDefinitionVersion,
  ResourceType,
  Subresource,
} from '@ballast/kube';
import { type FieldReader, textField } from '../cache/cached-object.ts';
import { compileCrd, isEstablished } from '../crd/index.ts';
import { fieldAt, isJsonObject, type JsonObject } from '../object/api-object.ts';
import { defineResource, type ResourceDefinition, type ScaleDefinition } from '../resources/definition.ts';

export const CRD_STORAGE_KEY = 'customresourcedefinitions.apiextensions.k8s.io';

const VERBS = ['delete', 'deletecollection', 'get', 'list', 'patch', 'create', 'update', 'watch'];
const READ_WRITE = ['get', 'patch', 'update'];

/** The resources that a definition adds: one per served version, all over the same objects. None until it is established. */
export function definitionsOf(crd: CustomResourceDefinition): ResourceDefinition[] {
  const storage = crd.spec.versions.find((version) => version.storage);
  if (!isEstablished(crd) || !storage) return [];
  return crd.spec.versions.filter(({ served }) => served).map((version) => definitionOf(crd, version, storage.name));
}

function definitionOf(
  crd: CustomResourceDefinition,
  version: CustomResourceDefinitionVersion,
  storageVersion: string,
): ResourceDefinition {
  const { group, names, scope } = crd.spec;
  const scale = scaleOf(version);
  const subresources: Subresource[] = [
    ...(version.subresources?.status ? [{ name: 'status', verbs: READ_WRITE }] : []),
    ...(scale ? [{ name: 'scale', group: 'autoscaling', version: 'v1', kind: 'Scale', verbs: READ_WRITE }] : []),
  ];
  const terminating = crd.metadata.deletionTimestamp !== undefined;
  const type: ResourceType = {
    group,
    version: version.name,
    plural: names.plural,
    singular: names.singular ?? names.kind.toLowerCase(),
    kind: names.kind,
    namespaced: scope === 'Namespaced',
    shortNames: names.shortNames ?? [],
    categories: names.categories ?? [],
    // While its definition goes away, nothing new is made of a resource.
    verbs: terminating ? VERBS.filter((verb) => verb !== 'create') : VERBS,
    subresources,
    schema: compileCrd(crd, version.name),
  };
  return defineResource(type, {
    listKind: names.listKind ?? `${names.kind}List`,
    storageVersion: `${group}/${storageVersion}`,
    hasGeneration: true,
    scale,
    selectableFields: selectableFieldsOf(version),
    custom: {
      openApiSchema: asJson(version.schema?.openAPIV3Schema),
      printerColumns: (version.additionalPrinterColumns ?? []).map((column): JsonObject => ({ ...column })),
    },
  });
}

function asJson(value: unknown): JsonObject | undefined {
  return isJsonObject(value) ? value : undefined;
}

function scaleOf({ subresources }: CustomResourceDefinitionVersion): ScaleDefinition | undefined {
  const scale = asJson(subresources?.scale);
  if (!scale) return undefined;
  return {
    specReplicas: pathOf(scale.specReplicasPath),
    statusReplicas: pathOf(scale.statusReplicasPath),
    selector: pathOf(scale.labelSelectorPath),
  };
}

/** '.spec.replicas' as field names. */
function pathOf(text: unknown): string[] {
  return typeof text === 'string' ? text.split('.').filter((part) => part !== '') : [];
}

function selectableFieldsOf(version: CustomResourceDefinitionVersion): Record<string, FieldReader> {
  const fields = fieldAt(version, 'selectableFields');
  const paths = Array.isArray(fields) ? fields.flatMap((field) => asJson(field)?.jsonPath ?? []) : [];
  return Object.fromEntries(paths.map((path) => [String(path).replace(/^\./, ''), textField(...pathOf(path))]));
}
