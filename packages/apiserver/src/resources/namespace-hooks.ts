import { objectAt } from '../object/api-object.ts';
import type { WriteHooks } from './definition.ts';

const FINALIZER = 'kubernetes';

/** A namespace carries the finalizer of the namespace controller in its spec, and its own name as a label for selectors. */
export const namespaceHooks: WriteHooks = {
  prepareForCreate(namespace) {
    const finalizers = (objectAt(namespace, 'spec')?.finalizers ?? []) as string[];
    namespace.spec = { finalizers: finalizers.includes(FINALIZER) ? finalizers : [...finalizers, FINALIZER] };
    namespace.status = { phase: 'Active' };
    labelWithName(namespace);
  },
  prepareForUpdate(namespace, old, { subresource }) {
    if (subresource !== 'finalize') namespace.spec = old.spec;
    labelWithName(namespace);
  },
};

function labelWithName(namespace: { metadata: { name: string; labels?: Record<string, string> } }): void {
  const { metadata } = namespace;
  if (metadata.name) metadata.labels = { ...metadata.labels, 'kubernetes.io/metadata.name': metadata.name };
}
