import { textField } from '../cache/cached-object.ts';
import { fieldAt } from '../object/api-object.ts';
import type { ResourceSpecifics } from './definition.ts';
import { namespaceHooks } from './namespace-hooks.ts';

// Resources with little to say about them. Larger ones have a file of their own.

/** Kinds with a replica count that the scale subresource reads and writes. */
export const replicated: ResourceSpecifics = {
  scale: {
    specReplicas: ['spec', 'replicas'],
    statusReplicas: ['status', 'replicas'],
    selector: ['spec', 'selector'],
  },
};

export const createdByPut: ResourceSpecifics = { createOnUpdate: true };

export const withGeneration: ResourceSpecifics = { hasGeneration: true };

export const namespaces: ResourceSpecifics = {
  hasGeneration: false,
  selectableFields: { 'status.phase': textField('status', 'phase') },
  hooks: namespaceHooks,
  returnsDeleted: true,
};

export const nodes: ResourceSpecifics = {
  hasGeneration: false,
  selectableFields: { 'spec.unschedulable': (node) => String(fieldAt(node, 'spec', 'unschedulable') ?? false) },
};

export const serviceAccounts: ResourceSpecifics = { returnsDeleted: true };
