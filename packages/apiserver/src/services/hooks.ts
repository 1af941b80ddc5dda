import type { WriteHooks } from '../resources/definition.ts';

export const serviceHooks: WriteHooks = {};
