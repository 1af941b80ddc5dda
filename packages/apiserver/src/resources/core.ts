import { textField } from '../cache/cached-object.ts';
import { fieldAt } from '../object/api-object.ts';
import { defineResource, type ResourceDefinition } from './definition.ts';
import { eventFields } from './event-view.ts';
import { namespaceHooks } from './namespace-hooks.ts';
import { podHooks, podSubresources } from './pod-hooks.ts';
import { secretHooks } from './secret-hooks.ts';
import { serviceHooks } from './service-hooks.ts';

const core = { group: '', version: 'v1' };

/** The core group. */
export const coreResources: readonly ResourceDefinition[] = [
  defineResource({
    ...core,
    plural: 'namespaces',
    kind: 'Namespace',
    namespaced: false,
    shortNames: ['ns'],
    hasStatus: true,
    hasGeneration: false,
    selectableFields: { 'status.phase': textField('status', 'phase') },
    subresources: [{ name: 'finalize', kind: 'Namespace', verbs: ['update'] }],
    hooks: namespaceHooks,
    verbs: ['create', 'delete', 'get', 'list', 'patch', 'update', 'watch'],
    returnsDeleted: true,
  }),
  defineResource({
    ...core,
    plural: 'nodes',
    kind: 'Node',
    namespaced: false,
    shortNames: ['no'],
    hasStatus: true,
    hasGeneration: false,
    selectableFields: { 'spec.unschedulable': (node) => String(fieldAt(node, 'spec', 'unschedulable') ?? false) },
    subresources: [{ name: 'proxy', kind: 'NodeProxyOptions', verbs: ['create', 'delete', 'get', 'patch', 'update'] }],
  }),
  defineResource({
    ...core,
    plural: 'pods',
    kind: 'Pod',
    namespaced: true,
    shortNames: ['po'],
    categories: ['all'],
    hasStatus: true,
    hasGeneration: true,
    selectableFields: {
      'spec.nodeName': textField('spec', 'nodeName'),
      'spec.host': textField('spec', 'nodeName'),
      'spec.restartPolicy': textField('spec', 'restartPolicy'),
      'spec.schedulerName': textField('spec', 'schedulerName'),
      'spec.serviceAccountName': textField('spec', 'serviceAccountName'),
      'spec.hostNetwork': (pod) => String(fieldAt(pod, 'spec', 'hostNetwork') ?? false),
      'status.phase': textField('status', 'phase'),
      'status.podIP': textField('status', 'podIP'),
      'status.podIPs': textField('status', 'podIP'),
      'status.nominatedNodeName': textField('status', 'nominatedNodeName'),
    },
    subresources: podSubresources,
    hooks: podHooks,
    returnsDeleted: true,
  }),
  defineResource({
    ...core,
    plural: 'services',
    kind: 'Service',
    namespaced: true,
    shortNames: ['svc'],
    categories: ['all'],
    hasStatus: true,
    hasGeneration: false,
    selectableFields: { 'spec.clusterIP': textField('spec', 'clusterIP'), 'spec.type': textField('spec', 'type') },
    subresources: [
      { name: 'proxy', kind: 'ServiceProxyOptions', verbs: ['create', 'delete', 'get', 'patch', 'update'] },
    ],
    hooks: serviceHooks,
    createOnUpdate: true,
    returnsDeleted: true,
  }),
  defineResource({
    ...core,
    plural: 'endpoints',
    kind: 'Endpoints',
    listKind: 'EndpointsList',
    namespaced: true,
    shortNames: ['ep'],
    createOnUpdate: true,
  }),
  defineResource({ ...core, plural: 'configmaps', kind: 'ConfigMap', namespaced: true, shortNames: ['cm'] }),
  defineResource({
    ...core,
    plural: 'secrets',
    kind: 'Secret',
    namespaced: true,
    selectableFields: { type: textField('type') },
    hooks: secretHooks,
  }),
  defineResource({
    ...core,
    plural: 'serviceaccounts',
    kind: 'ServiceAccount',
    namespaced: true,
    shortNames: ['sa'],
    returnsDeleted: true,
    subresources: [
      { name: 'token', kind: 'TokenRequest', group: 'authentication.k8s.io', version: 'v1', verbs: ['create'] },
    ],
  }),
  defineResource({
    ...core,
    plural: 'events',
    kind: 'Event',
    namespaced: true,
    shortNames: ['ev'],
    selectableFields: eventFields,
    createOnUpdate: true,
  }),
];
