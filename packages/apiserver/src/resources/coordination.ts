import { defineResource, type ResourceDefinition } from './definition.ts';
import { eventFields, eventView } from './event-view.ts';

/** What parts of the cluster tell each other: leases, endpoints, events. */
export const coordinationResources: readonly ResourceDefinition[] = [
  defineResource({
    group: 'coordination.k8s.io',
    version: 'v1',
    plural: 'leases',
    kind: 'Lease',
    namespaced: true,
    createOnUpdate: true,
  }),
  defineResource({
    group: 'discovery.k8s.io',
    version: 'v1',
    plural: 'endpointslices',
    kind: 'EndpointSlice',
    namespaced: true,
    hasGeneration: true,
  }),
  defineResource({
    group: 'events.k8s.io',
    version: 'v1',
    plural: 'events',
    kind: 'Event',
    namespaced: true,
    shortNames: ['ev'],
    storageKey: 'events',
    storageVersion: 'v1',
    selectableFields: eventFields,
    view: eventView,
    createOnUpdate: true,
  }),
];
