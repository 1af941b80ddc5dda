import type { CachedObject } from '../cache/cached-object.ts';
import { viewOf } from '../operations/update.ts';
import type { ResourceDefinition } from '../resources/definition.ts';
import type { AnswerForm } from './encoding.ts';

/** A meta.k8s.io Table: what `kubectl get` prints. */
export function tableOf(resource: ResourceDefinition, objects: readonly CachedObject[], form: AnswerForm): object {
  const { version } = form.representation;
  const rows = objects.map((object) => {
    const view = viewOf(object, { resource });
    const shown =
      form.includeObject === 'Object'
        ? view
        : { kind: 'PartialObjectMetadata', apiVersion: `meta.k8s.io/${version}`, metadata: view.metadata };
    return {
      cells: [view.metadata.name, view.metadata.creationTimestamp],
      ...(form.includeObject === 'None' ? {} : { object: shown }),
    };
  });
  return {
    kind: 'Table',
    apiVersion: `meta.k8s.io/${version}`,
    metadata: {},
    columnDefinitions: [
      { name: 'Name', type: 'string', format: 'name', description: '', priority: 0 },
      { name: 'Created At', type: 'date', format: '', description: '', priority: 0 },
    ],
    rows,
  };
}
