import type { WriteHooks } from './definition.ts';

export const serviceHooks: WriteHooks = {};
