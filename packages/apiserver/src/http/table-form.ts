import type { CachedObject } from '../cache/cached-object.ts';
import { viewOf } from '../operations/update.ts';
import type { ResourceDefinition } from '../resources/definition.ts';
import { tableFor } from '../table/index.ts';
import type { AnswerForm } from './encoding.ts';

/** A meta.k8s.io Table: what `kubectl get` prints. */
export function tableOf(resource: ResourceDefinition, objects: readonly CachedObject[], form: AnswerForm): object {
  const { version } = form.representation;
  const table = tableFor(resource);
  const nowMs = form.now();
  const rows = objects.map((object) => {
    const view = viewOf(object, { resource });
    const conditions = table.conditions(view);
    const shown =
      form.includeObject === 'Object'
        ? view
        : { kind: 'PartialObjectMetadata', apiVersion: `meta.k8s.io/${version}`, metadata: view.metadata };
    return {
      cells: table.cells(view, nowMs),
      ...(conditions.length > 0 ? { conditions } : {}),
      ...(form.includeObject === 'None' ? {} : { object: shown }),
    };
  });
  return {
    kind: 'Table',
    apiVersion: `meta.k8s.io/${version}`,
    metadata: {},
    columnDefinitions: table.columns,
    rows,
  };
}
