import { RESOURCES } from '@ballast/kube';
import { customResourceDefinitions } from './custom-resource-definitions.ts';
import { defineResource, type ResourceDefinition, type ResourceSpecifics } from './definition.ts';
import { events, eventsV1 } from './events.ts';
import { pods } from './pods.ts';
import { secrets } from './secrets.ts';
import { services } from './services.ts';
import { createdByPut, namespaces, nodes, replicated, serviceAccounts, withGeneration } from './specifics.ts';

/** What is special about a resource, by storage key. Whatever is not listed is plain. Adding one is a file and a line. */
const SPECIFICS: Readonly<Record<string, ResourceSpecifics>> = {
  'customresourcedefinitions.apiextensions.k8s.io': customResourceDefinitions,
  'deployments.apps': replicated,
  endpoints: { ...createdByPut, listKind: 'EndpointsList' },
  'endpointslices.discovery.k8s.io': withGeneration,
  events,
  'events.events.k8s.io': eventsV1,
  'jobs.batch': { defaultPropagation: 'Orphan' },
  'leases.coordination.k8s.io': createdByPut,
  namespaces,
  nodes,
  pods,
  'replicasets.apps': replicated,
  replicationcontrollers: { ...replicated, defaultPropagation: 'Orphan' },
  secrets,
  serviceaccounts: serviceAccounts,
  services,
  'statefulsets.apps': replicated,
};

/** Every built-in resource. */
export const BUILT_IN_RESOURCES: readonly ResourceDefinition[] = RESOURCES.map((type) => {
  const plain = defineResource(type);
  return defineResource(type, SPECIFICS[plain.storageKey] ?? {});
});
