import { textField } from '../cache/cached-object.ts';
import { fieldAt } from '../object/api-object.ts';
import type { ResourceSpecifics } from './definition.ts';
import { podHooks } from './pod-hooks.ts';

export const pods: ResourceSpecifics = {
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
  hooks: podHooks,
  returnsDeleted: true,
};
