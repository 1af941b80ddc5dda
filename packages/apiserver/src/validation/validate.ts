import type { CustomResourceDefinition } from '@ballast/kube';
import { crdProblems } from '../crd/index.ts';
import { isJsonObject, type JsonObject } from '../object/api-object.ts';
import type { FieldProblem } from '../object/failures.ts';
import { invalidValue } from '../object/field-problems.ts';
import { checkCustomResource } from './custom-resource.ts';
import type { KindOf } from './defaults.ts';
import { checkPodSpec, checkPodUpdate, same } from './pod.ts';
import { Problems } from './problems.ts';
import { checkSchemaRules } from './schema-rules.ts';
import { checkService, checkServiceUpdate, serviceWarnings } from './service.ts';
import * as stored from './stored-kinds.ts';
import * as workload from './workload.ts';

/** The rules of one kind, beyond those of its schema. */
interface KindRules {
  readonly check?: (object: JsonObject, problems: Problems) => void;
  readonly checkUpdate?: (object: JsonObject, old: JsonObject, problems: Problems, subresource: string) => void;
  readonly warn?: (object: JsonObject) => string[];
}

const RBAC_GROUP = 'rbac.authorization.k8s.io';
const unchanged =
  (...fields: string[]): KindRules['checkUpdate'] =>
  (object, old, problems) =>
    stored.checkUnchanged(object, old, fields, problems);

const RULES: Readonly<Record<string, KindRules>> = {
  '/Pod': {
    check: (pod, problems) => {
      if (isJsonObject(pod.spec)) checkPodSpec(pod.spec, 'spec', problems);
    },
    checkUpdate: (pod, old, problems, subresource) => checkPodUpdate(pod, old, subresource, problems),
  },
  '/PodTemplate': { check: (object, problems) => workload.checkTemplate(object.template, 'template', problems) },
  '/Service': { check: checkService, checkUpdate: checkServiceUpdate, warn: serviceWarnings },
  '/ConfigMap': { check: stored.checkConfigMap, checkUpdate: stored.checkImmutableData },
  '/Secret': {
    check: stored.checkSecret,
    checkUpdate: (object, old, problems) => {
      stored.checkUnchanged(object, old, ['type'], problems);
      stored.checkImmutableData(object, old, problems);
    },
  },
  '/Node': { check: stored.checkNode, checkUpdate: stored.checkNodeUpdate },
  '/PersistentVolumeClaim': { checkUpdate: unchanged('spec.accessModes', 'spec.storageClassName', 'spec.volumeMode') },
  'apps/Deployment': { check: workload.checkDeployment, checkUpdate: workload.checkSelectorUnchanged },
  'apps/ReplicaSet': { check: workload.checkReplicaSet, checkUpdate: workload.checkSelectorUnchanged },
  'apps/DaemonSet': { check: workload.checkDaemonSet, checkUpdate: workload.checkSelectorUnchanged },
  'apps/StatefulSet': { check: workload.checkStatefulSet, checkUpdate: workload.checkStatefulSetUpdate },
  'apps/ControllerRevision': { checkUpdate: unchanged('data') },
  'batch/Job': { check: workload.checkJob, checkUpdate: unchanged('spec.completionMode') },
  'coordination.k8s.io/Lease': { check: stored.checkLease },
  'discovery.k8s.io/EndpointSlice': { check: stored.checkEndpointSlice, checkUpdate: stored.checkEndpointSliceUpdate },
  'networking.k8s.io/Ingress': { check: stored.checkIngress },
  'networking.k8s.io/NetworkPolicy': { check: stored.checkNetworkPolicy },
  'networking.k8s.io/IngressClass': { checkUpdate: unchanged('spec.controller') },
  'networking.k8s.io/IPAddress': { checkUpdate: unchanged('spec.parentRef') },
  'node.k8s.io/RuntimeClass': { checkUpdate: unchanged('handler') },
  'policy/PodDisruptionBudget': { check: stored.checkDisruptionBudget },
  'scheduling.k8s.io/PriorityClass': { checkUpdate: unchanged('value', 'preemptionPolicy') },
  'storage.k8s.io/StorageClass': {
    checkUpdate: unchanged('provisioner', 'parameters', 'reclaimPolicy', 'volumeBindingMode'),
  },
  [`${RBAC_GROUP}/Role`]: { check: stored.checkRole },
  [`${RBAC_GROUP}/ClusterRole`]: { check: stored.checkRole },
  [`${RBAC_GROUP}/RoleBinding`]: {
    check: (object, problems) => stored.checkRoleBinding(object, problems, false),
    checkUpdate: stored.checkRoleRefUnchanged,
  },
  [`${RBAC_GROUP}/ClusterRoleBinding`]: {
    check: (object, problems) => stored.checkRoleBinding(object, problems, true),
    checkUpdate: stored.checkRoleRefUnchanged,
  },
  'apiextensions.k8s.io/CustomResourceDefinition': {
    check: (object, problems) => {
      if (problems.list.length === 0) problems.add(...crdProblems(object as unknown as CustomResourceDefinition));
    },
    checkUpdate: (object, old, problems) => {
      if (problems.list.length > 0) return;
      const [now, before] = [object, old] as unknown as [CustomResourceDefinition, CustomResourceDefinition];
      problems.add(...crdProblems(now, before));
    },
  },
};

/** What validation found. Errors refuse the request; warnings go along with the answer. */
export interface Validation {
  readonly errors: FieldProblem[];
  readonly warnings: string[];
}

/** Checks a decoded and defaulted new object. Metadata is the business of the API server's own walk. */
export function validateCreate(kind: KindOf, object: JsonObject): Validation {
  const problems = new Problems();
  if (kind.custom !== undefined) return { errors: checkCustomResource(kind.schema, object), warnings: [] };
  checkWhole(kind, object, problems);
  return { errors: unique(problems.list), warnings: RULES[`${kind.group}/${kind.kind}`]?.warn?.(object) ?? [] };
}

/**
 * Checks a changed object: what is valid for a new one, and what may change. A write of the status checks only the status's own rules,
 * so that an object which became invalid by newer rules can still report.
 */
export function validateUpdate(kind: KindOf, object: JsonObject, old: JsonObject, subresource = ''): Validation {
  const problems = new Problems();
  if (kind.custom !== undefined) return { errors: checkCustomResource(kind.schema, object, old), warnings: [] };
  const rules = RULES[`${kind.group}/${kind.kind}`];
  if (subresource === 'status') {
    if (!same(object.spec, old.spec)) problems.add(invalidValue('spec', null, 'may not change here'));
    if (kind.kind === 'Service') rules?.check?.(object, problems);
    return { errors: problems.list, warnings: [] };
  }
  // Nothing but metadata or status changed: what was accepted once stays acceptable.
  if (sameContent(object, old)) return { errors: [], warnings: [] };
  checkWhole(kind, object, problems);
  rules?.checkUpdate?.(object, old, problems, subresource);
  return { errors: unique(problems.list), warnings: rules?.warn?.(object) ?? [] };
}

function sameContent(object: JsonObject, old: JsonObject): boolean {
  const { metadata: _metadata, status: _status, ...content } = object;
  const { metadata: _oldMetadata, status: _oldStatus, ...before } = old;
  return same(content, before);
}

function checkWhole(kind: KindOf, object: JsonObject, problems: Problems): void {
  problems.add(...checkSchemaRules(kind.schema, object));
  RULES[`${kind.group}/${kind.kind}`]?.check?.(object, problems);
}

/** The schema and the rules of a kind may find the same thing. */
function unique(problems: readonly FieldProblem[]): FieldProblem[] {
  const seen = new Set<string>();
  return problems.filter(({ field, reason }) => {
    const key = `${reason} ${field}`;
    if (seen.has(key)) return false;
    seen.add(key);
    return true;
  });
}
