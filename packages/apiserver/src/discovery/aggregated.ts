import type { ResourceDefinition } from '../resources/definition.ts';
import { groupsOf } from './legacy.ts';

/** apidiscovery.k8s.io/v2: everything in one document (KEP-3352). `core` selects what /api answers; otherwise what /apis answers. */
export function aggregatedDiscovery(resources: readonly ResourceDefinition[], core: boolean): object {
  const groups = groupsOf(resources).filter(({ group }) => (group === '') === core);
  return {
    kind: 'APIGroupDiscoveryList',
    apiVersion: 'apidiscovery.k8s.io/v2',
    metadata: {},
    items: groups.map(({ group, versions }) => ({
      metadata: { name: group, creationTimestamp: null },
      versions: versions.map((version) => ({
        version,
        resources: resources.filter((one) => one.group === group && one.version === version).map(entryOf),
        freshness: 'Current',
      })),
    })),
  };
}

function entryOf(resource: ResourceDefinition): object {
  const { group, version, plural, singular, namespaced, kind, verbs, shortNames, categories } = resource;
  const parts = resource.subresources;
  return {
    resource: plural,
    responseKind: { group, version, kind },
    scope: namespaced ? 'Namespaced' : 'Cluster',
    singularResource: singular,
    verbs,
    ...(shortNames.length > 0 ? { shortNames } : {}),
    ...(categories.length > 0 ? { categories } : {}),
    ...(parts.length > 0
      ? {
          subresources: parts.map((part) => ({
            subresource: part.name,
            responseKind: { group: part.group ?? group, version: part.version ?? version, kind: part.kind ?? kind },
            verbs: part.verbs,
          })),
        }
      : {}),
  };
}
