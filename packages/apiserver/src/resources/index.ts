import { appsResources } from './apps.ts';
import { clusterResources } from './cluster.ts';
import { coordinationResources } from './coordination.ts';
import { coreResources } from './core.ts';
import type { ResourceDefinition } from './definition.ts';
import { policyResources } from './policy.ts';
import { rbacResources } from './rbac.ts';
import { reviewResources } from './reviews.ts';

/** Every built-in resource. Adding one is a file and a line. */
export const BUILT_IN_RESOURCES: readonly ResourceDefinition[] = [
  ...coreResources,
  ...appsResources,
  ...coordinationResources,
  ...rbacResources,
  ...policyResources,
  ...clusterResources,
  ...reviewResources,
];
