import type { ResourceSpecifics } from './definition.ts';

export const customResourceDefinitions: ResourceSpecifics = { returnsDeleted: true };
