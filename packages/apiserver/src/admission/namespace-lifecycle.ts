import type { ApiObject } from '../object/api-object.ts';
import { textAt } from '../object/api-object.ts';
import { forbidden, notFound } from '../object/failures.ts';
import type { WriteContext } from '../operations/write-context.ts';
import type { AdmissionStep } from './step.ts';

const NAMESPACES = { group: '', plural: 'namespaces' };
const IMMORTAL = new Set(['default', 'kube-system', 'kube-public']);

/** Nothing is created in a namespace that does not exist (404), or that is going away (403, cause NamespaceTerminating). */
export const namespaceLifecycle: AdmissionStep = {
  name: 'NamespaceLifecycle',
  handles: ({ operation, resource }) => operation === 'create' && resource.namespaced,
  admit(object, _old, { kernel, resource, namespace }) {
    const found = kernel.cache.of('namespaces').get(namespace);
    if (!found) throw notFound(NAMESPACES, namespace);
    const stored = found.parse();
    if (!stored.metadata.deletionTimestamp && textAt(stored, 'status', 'phase') !== 'Terminating') return;
    throw forbidden(
      resource,
      object.metadata.name ?? '',
      `unable to create new content in namespace ${namespace} because it is being terminated`,
      [
        {
          reason: 'NamespaceTerminating',
          message: `namespace ${namespace} is being terminated`,
          field: 'metadata.namespace',
        },
      ],
    );
  },
};

export function protectSystemNamespaces(object: ApiObject, { resource }: WriteContext): void {
  if (resource.storageKey === 'namespaces' && IMMORTAL.has(object.metadata.name)) {
    throw forbidden(NAMESPACES, object.metadata.name, 'this namespace may not be deleted');
  }
}
