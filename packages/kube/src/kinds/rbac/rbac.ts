import { atomic, type Infer, kind, list, object, required, string } from '../../schema/index.ts';
import { labelSelectorSchema } from '../meta/label-selector.ts';

const RBAC = 'io.k8s.api.rbac.v1';

const policyRuleSchema = object(`${RBAC}.PolicyRule`, 'Something that is allowed.', {
  verbs: required(list(string(), 'What may be done; * for everything.')),
  apiGroups: list(string(), 'In which groups.'),
  resources: list(string(), 'With which resources.'),
  resourceNames: list(string(), 'With which objects; all if absent.'),
  nonResourceURLs: list(string(), 'At which paths.'),
});
export interface PolicyRule extends Infer<typeof policyRuleSchema> {}

const roleRefSchema = atomic(
  object(`${RBAC}.RoleRef`, 'The role that is granted.', {
    apiGroup: string('Group of the role.'),
    kind: required(string('Role or ClusterRole.')),
    name: required(string('Name of the role.')),
  }),
);
export interface RoleRef extends Infer<typeof roleRefSchema> {}

const subjectSchema = atomic(
  object(`${RBAC}.Subject`, 'Who gets the role.', {
    kind: required(string('User, Group or ServiceAccount.')),
    apiGroup: string('Group of the subject.'),
    name: required(string('Name of the subject.')),
    namespace: string('Namespace of a ServiceAccount.'),
  }),
);
export interface Subject extends Infer<typeof subjectSchema> {}

export const roleSchema = kind(`${RBAC}.Role`, 'What may be done in a namespace.', {
  rules: list(policyRuleSchema, 'What is allowed.'),
});
export interface Role extends Infer<typeof roleSchema> {}

export const clusterRoleSchema = kind(`${RBAC}.ClusterRole`, 'What may be done in the cluster.', {
  rules: list(policyRuleSchema, 'What is allowed.'),
  aggregationRule: object(`${RBAC}.AggregationRule`, 'Takes the rules of other roles.', {
    clusterRoleSelectors: list(labelSelectorSchema, 'Which roles.'),
  }),
});
export interface ClusterRole extends Infer<typeof clusterRoleSchema> {}

export const roleBindingSchema = kind(`${RBAC}.RoleBinding`, 'Grants a role in a namespace.', {
  subjects: list(subjectSchema, 'Who gets it.'),
  roleRef: required(roleRefSchema),
});
export interface RoleBinding extends Infer<typeof roleBindingSchema> {}

export const clusterRoleBindingSchema = kind(`${RBAC}.ClusterRoleBinding`, 'Grants a role in the whole cluster.', {
  subjects: list(subjectSchema, 'Who gets it.'),
  roleRef: required(roleRefSchema),
});
export interface ClusterRoleBinding extends Infer<typeof clusterRoleBindingSchema> {}
