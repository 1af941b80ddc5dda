import { defineResource, type ResourceDefinition } from './definition.ts';

const apps = { group: 'apps', version: 'v1', namespaced: true };
const scale = {
  specReplicas: ['spec', 'replicas'],
  statusReplicas: ['status', 'replicas'],
  selector: ['spec', 'selector'],
};

export const appsResources: readonly ResourceDefinition[] = [
  defineResource({
    ...apps,
    plural: 'deployments',
    kind: 'Deployment',
    shortNames: ['deploy'],
    categories: ['all'],
    hasStatus: true,
    scale,
  }),
  defineResource({
    ...apps,
    plural: 'replicasets',
    kind: 'ReplicaSet',
    shortNames: ['rs'],
    categories: ['all'],
    hasStatus: true,
    scale,
  }),
  defineResource({
    ...apps,
    plural: 'daemonsets',
    kind: 'DaemonSet',
    shortNames: ['ds'],
    categories: ['all'],
    hasStatus: true,
  }),
  defineResource({ ...apps, plural: 'controllerrevisions', kind: 'ControllerRevision' }),
];
