import { defineResource, type ResourceDefinition } from './definition.ts';

export const policyResources: readonly ResourceDefinition[] = [
  defineResource({
    group: 'policy',
    version: 'v1',
    plural: 'poddisruptionbudgets',
    kind: 'PodDisruptionBudget',
    namespaced: true,
    shortNames: ['pdb'],
    hasStatus: true,
  }),
];
