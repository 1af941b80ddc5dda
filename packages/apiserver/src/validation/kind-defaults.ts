import { isJsonObject, type JsonObject, listAt, objectAt } from '../object/api-object.ts';
import { defaultPod, defaultPodTemplate } from './pod-defaults.ts';
import { defaultService } from './service-defaults.ts';

type Defaulter = (object: JsonObject) => void;

const RBAC_GROUP = 'rbac.authorization.k8s.io';

/** The object at a field, made when it is missing. */
export function ensureObject(parent: JsonObject, name: string): JsonObject {
  const present = parent[name];
  if (isJsonObject(present)) return present;
  const made: JsonObject = {};
  parent[name] = made;
  return made;
}

function specOf(object: JsonObject): JsonObject {
  return ensureObject(object, 'spec');
}

function rollingStrategy(field: string): Defaulter {
  return (object) => {
    const spec = specOf(object);
    const strategy = ensureObject(spec, field);
    strategy.type ??= 'RollingUpdate';
    if (strategy.type === 'RollingUpdate') ensureObject(strategy, 'rollingUpdate');
    defaultPodTemplate(spec.template);
  };
}

function defaultJobSpec(spec: unknown): void {
  if (!isJsonObject(spec)) return;
  if (spec.completions === undefined && spec.parallelism === undefined) spec.completions = 1;
  spec.parallelism ??= 1;
  spec.backoffLimit ??= spec.backoffLimitPerIndex === undefined ? 6 : 2147483647;
  spec.podReplacementPolicy ??= spec.podFailurePolicy === undefined ? 'TerminatingOrFailed' : 'Failed';
  defaultPodTemplate(spec.template);
}

function defaultBinding(object: JsonObject): void {
  const role = objectAt(object, 'roleRef');
  if (role) role.apiGroup ||= RBAC_GROUP;
  for (const subject of listAt(object, 'subjects')) {
    if (!isJsonObject(subject) || subject.apiGroup) continue;
    if (subject.kind === 'User' || subject.kind === 'Group') subject.apiGroup = RBAC_GROUP;
  }
}

const DEFAULTS: Readonly<Record<string, Defaulter>> = {
  '/Pod': (pod) => defaultPod(pod),
  '/PodTemplate': (object) => defaultPodTemplate(object.template),
  '/Service': defaultService,
  '/Namespace': (object) => {
    const meta = ensureObject(object, 'metadata');
    const { name } = meta;
    if (typeof name === 'string' && name !== '') ensureObject(meta, 'labels')['kubernetes.io/metadata.name'] ??= name;
  },
  '/Node': (node) => {
    const status = objectAt(node, 'status');
    if (status?.capacity !== undefined) status.allocatable ??= structuredClone(status.capacity);
  },
  '/ReplicationController': (object) => {
    const spec = specOf(object);
    const labels = objectAt(spec, 'template', 'metadata', 'labels');
    if (labels) {
      spec.selector ??= { ...labels };
      const meta = ensureObject(object, 'metadata');
      meta.labels ??= { ...labels };
    }
    defaultPodTemplate(spec.template);
  },
  '/PersistentVolumeClaim': (claim) => {
    ensureObject(claim, 'status').phase ??= 'Pending';
  },
  '/PersistentVolume': (volume) => {
    ensureObject(volume, 'status').phase ??= 'Pending';
  },
  '/LimitRange': (object) => {
    for (const item of listAt(object, 'spec', 'limits')) {
      if (!isJsonObject(item) || item.type !== 'Container') continue;
      const fill = (target: string, source: string) => {
        const from = item[source];
        if (isJsonObject(from)) item[target] = { ...from, ...(isJsonObject(item[target]) ? item[target] : {}) };
      };
      fill('default', 'max');
      fill('defaultRequest', 'default');
      fill('defaultRequest', 'min');
    }
  },
  'apps/Deployment': rollingStrategy('strategy'),
  'apps/DaemonSet': rollingStrategy('updateStrategy'),
  'apps/StatefulSet': (object) => {
    rollingStrategy('updateStrategy')(object);
    const spec = specOf(object);
    ensureObject(spec, 'persistentVolumeClaimRetentionPolicy');
    for (const claim of listAt(spec, 'volumeClaimTemplates')) {
      if (!isJsonObject(claim)) continue;
      claim.apiVersion ??= 'v1';
      claim.kind ??= 'PersistentVolumeClaim';
      ensureObject(claim, 'status').phase ??= 'Pending';
    }
  },
  'apps/ReplicaSet': (object) => defaultPodTemplate(specOf(object).template),
  'batch/Job': (object) => defaultJobSpec(specOf(object)),
  'batch/CronJob': (object) => defaultJobSpec(objectAt(object, 'spec', 'jobTemplate', 'spec')),
  'networking.k8s.io/NetworkPolicy': (object) => {
    const spec = specOf(object);
    spec.podSelector ??= {};
    spec.policyTypes ??= listAt(spec, 'egress').length > 0 ? ['Ingress', 'Egress'] : ['Ingress'];
  },
  'networking.k8s.io/IngressClass': (object) => {
    const parameters = objectAt(object, 'spec', 'parameters');
    if (parameters) parameters.scope ??= 'Cluster';
  },
  [`${RBAC_GROUP}/RoleBinding`]: defaultBinding,
  [`${RBAC_GROUP}/ClusterRoleBinding`]: defaultBinding,
  'apiextensions.k8s.io/CustomResourceDefinition': (object) => {
    const spec = specOf(object);
    spec.scope ??= 'Namespaced';
    const conversion = ensureObject(spec, 'conversion');
    conversion.strategy ??= 'None';
    const service = objectAt(conversion, 'webhook', 'clientConfig', 'service');
    if (service) service.port ??= 443;
    const names = ensureObject(spec, 'names');
    if (typeof names.kind === 'string') {
      names.singular ||= names.kind.toLowerCase();
      names.listKind ||= `${names.kind}List`;
    }
  },
};

/** The defaults of a kind that depend on more than one field. */
export function kindDefaults(group: string, kind: string): Defaulter | undefined {
  return DEFAULTS[`${group}/${kind}`];
}
