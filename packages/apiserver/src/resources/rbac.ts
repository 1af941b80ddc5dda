import { defineResource, type ResourceDefinition } from './definition.ts';

const rbac = { group: 'rbac.authorization.k8s.io', version: 'v1' };

/** Stored and served; not evaluated yet (see identity/authorize.ts). */
export const rbacResources: readonly ResourceDefinition[] = [
  defineResource({ ...rbac, plural: 'clusterroles', kind: 'ClusterRole', namespaced: false }),
  defineResource({ ...rbac, plural: 'clusterrolebindings', kind: 'ClusterRoleBinding', namespaced: false }),
  defineResource({ ...rbac, plural: 'roles', kind: 'Role', namespaced: true }),
  defineResource({ ...rbac, plural: 'rolebindings', kind: 'RoleBinding', namespaced: true }),
];
