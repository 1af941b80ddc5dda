import { textField } from '../cache/cached-object.ts';
import { serviceHooks } from '../services/hooks.ts';
import type { ResourceSpecifics } from './definition.ts';

export const services: ResourceSpecifics = {
  hasGeneration: false,
  selectableFields: { 'spec.clusterIP': textField('spec', 'clusterIP'), 'spec.type': textField('spec', 'type') },
  hooks: serviceHooks,
  createOnUpdate: true,
  returnsDeleted: true,
};
