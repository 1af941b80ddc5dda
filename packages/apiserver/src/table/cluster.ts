import { isJsonObject, type JsonObject, listAt, objectAt, textAt } from '../object/api-object.ts';
import { conditionOf, countOf, specOf, statusOf, textOr } from './cell-text.ts';
import { type Cell, columns, NONE, type Printer, UNKNOWN, UNSET } from './column.ts';
import { age } from './human-duration.ts';

const ROLE_PREFIX = 'node-role.kubernetes.io/';

export const nodePrinter: Printer = {
  columns: columns(
    'Name',
    'Status',
    'Roles',
    'Age',
    'Version',
    'Internal-IP+',
    'External-IP+',
    'OS-Image+',
    'Kernel-Version+',
    'Container-Runtime+',
  ),
  cells(node, nowMs) {
    const info = objectAt(statusOf(node), 'nodeInfo') ?? {};
    return [
      node.metadata.name,
      nodeStatus(node),
      nodeRoles(node.metadata.labels ?? {}),
      age(node.metadata.creationTimestamp, nowMs),
      textOr(info.kubeletVersion, ''),
      addressOf(node, 'InternalIP'),
      addressOf(node, 'ExternalIP'),
      textOr(info.osImage, UNKNOWN),
      textOr(info.kernelVersion, UNKNOWN),
      textOr(info.containerRuntimeVersion, UNKNOWN),
    ];
  },
};

function nodeStatus(node: JsonObject): string {
  const ready = conditionOf(node, 'Ready');
  const words = [ready ? (ready.status === 'True' ? 'Ready' : 'NotReady') : 'Unknown'];
  if (specOf(node).unschedulable === true) words.push('SchedulingDisabled');
  return words.join(',');
}

function nodeRoles(labels: Readonly<Record<string, string>>): string {
  const roles = new Set<string>();
  for (const [key, value] of Object.entries(labels)) {
    if (key.startsWith(ROLE_PREFIX) && key.length > ROLE_PREFIX.length) roles.add(key.slice(ROLE_PREFIX.length));
    else if (key === 'kubernetes.io/role' && value !== '') roles.add(value);
  }
  return roles.size === 0 ? NONE : [...roles].sort().join(',');
}

function addressOf(node: JsonObject, type: string): string {
  const found = listAt(statusOf(node), 'addresses').find((address) => textAt(address, 'type') === type);
  return textAt(found, 'address') ?? NONE;
}

export const namespacePrinter: Printer = {
  columns: columns('Name', 'Status', 'Age'),
  cells(object, nowMs) {
    return [object.metadata.name, textOr(statusOf(object).phase, ''), age(object.metadata.creationTimestamp, nowMs)];
  },
};

export const eventPrinter: Printer = {
  columns: columns(
    'Last Seen',
    'Type',
    'Reason',
    'Object',
    'Subobject+',
    'Source+',
    'Message',
    'First Seen+',
    'Count+',
    'Name+',
  ),
  cells(event, nowMs) {
    const regarding = objectAt(event, 'involvedObject') ?? objectAt(event, 'regarding') ?? {};
    const first = event.firstTimestamp ?? event.deprecatedFirstTimestamp ?? event.eventTime;
    const series = objectAt(event, 'series');
    const last = series?.lastObservedTime ?? event.lastTimestamp ?? event.deprecatedLastTimestamp ?? first;
    const count = countOf(series?.count ?? event.count ?? event.deprecatedCount) || 1;
    const kind = textOr(regarding.kind, '').toLowerCase();
    const name = textOr(regarding.name, '');
    return [
      age(last, nowMs),
      textOr(event.type, ''),
      textOr(event.reason, ''),
      name === '' ? kind : `${kind}/${name}`,
      textOr(regarding.fieldPath, ''),
      sourceOf(event),
      textOr(event.message ?? event.note, '').trim(),
      age(first, nowMs),
      String(count),
      event.metadata.name,
    ];
  },
};

function sourceOf(event: JsonObject): string {
  const source = objectAt(event, 'source') ?? objectAt(event, 'deprecatedSource') ?? {};
  const component = textOr(source.component, textOr(event.reportingComponent ?? event.reportingController, ''));
  const host = textOr(source.host, '');
  return host === '' ? component : `${component}, ${host}`;
}

export const leasePrinter: Printer = {
  columns: columns('Name', 'Holder', 'Age'),
  cells(object, nowMs) {
    return [
      object.metadata.name,
      textOr(specOf(object).holderIdentity, ''),
      age(object.metadata.creationTimestamp, nowMs),
    ];
  },
};

export const secretPrinter: Printer = {
  columns: columns('Name', 'Type', 'Data:integer', 'Age'),
  cells(object, nowMs) {
    const count = Object.keys(objectAt(object, 'data') ?? {}).length;
    return [object.metadata.name, textOr(object.type, ''), count, age(object.metadata.creationTimestamp, nowMs)];
  },
};

export const configMapPrinter: Printer = {
  columns: columns('Name', 'Data:integer', 'Age'),
  cells(object, nowMs) {
    const count =
      Object.keys(objectAt(object, 'data') ?? {}).length + Object.keys(objectAt(object, 'binaryData') ?? {}).length;
    return [object.metadata.name, count, age(object.metadata.creationTimestamp, nowMs)];
  },
};

export const serviceAccountPrinter: Printer = {
  columns: columns('Name', 'Secrets:integer', 'Age'),
  cells(object, nowMs) {
    return [object.metadata.name, listAt(object, 'secrets').length, age(object.metadata.creationTimestamp, nowMs)];
  },
};

export const rolePrinter: Printer = {
  columns: columns('Name', 'Created At:date'),
  cells(object) {
    return [object.metadata.name, object.metadata.creationTimestamp ?? null];
  },
};

export const customResourceDefinitionPrinter: Printer = rolePrinter;

export const bindingPrinter: Printer = {
  columns: columns('Name', 'Role', 'Age', 'Users+', 'Groups+', 'ServiceAccounts+'),
  cells(object, nowMs) {
    const role = objectAt(object, 'roleRef') ?? {};
    const subjects = listAt(object, 'subjects').filter(isJsonObject);
    const of = (kind: string) => subjects.filter((subject) => subject.kind === kind);
    const names = (kind: string) =>
      of(kind)
        .map(({ name }) => String(name))
        .join(', ');
    const accounts = of('ServiceAccount').map(({ namespace, name }) => `${String(namespace ?? '')}/${String(name)}`);
    return [
      object.metadata.name,
      `${String(role.kind)}/${String(role.name)}`,
      age(object.metadata.creationTimestamp, nowMs),
      names('User'),
      names('Group'),
      accounts.join(', '),
    ];
  },
};

export const priorityClassPrinter: Printer = {
  columns: columns('Name', 'Value:integer', 'Global-Default:boolean', 'Age', 'PreemptionPolicy'),
  cells(object, nowMs) {
    return [
      object.metadata.name,
      countOf(object.value),
      object.globalDefault === true,
      age(object.metadata.creationTimestamp, nowMs),
      textOr(object.preemptionPolicy, ''),
    ];
  },
};

export const runtimeClassPrinter: Printer = {
  columns: columns('Name', 'Handler', 'Age'),
  cells(object, nowMs) {
    return [object.metadata.name, textOr(object.handler, ''), age(object.metadata.creationTimestamp, nowMs)];
  },
};

export const resourceQuotaPrinter: Printer = {
  columns: columns('Name', 'Request', 'Limit', 'Age'),
  cells(object, nowMs) {
    const hard = objectAt(statusOf(object), 'hard') ?? {};
    const used = objectAt(statusOf(object), 'used') ?? {};
    const texts = (limits: boolean) =>
      Object.keys(hard)
        .sort()
        .filter((name) => name.startsWith('limits.') === limits)
        .map((name) => `${name}: ${String(used[name] ?? '0')}/${String(hard[name])}`)
        .join(', ');
    return [object.metadata.name, texts(false), texts(true), age(object.metadata.creationTimestamp, nowMs)];
  },
};

export const limitRangePrinter: Printer = {
  columns: columns('Name', 'Created At:date'),
  cells: (object) => [object.metadata.name, object.metadata.creationTimestamp ?? null],
};

/** RWO, ROX, RWX, RWOP. */
function accessModes(modes: readonly unknown[]): string {
  const short: Readonly<Record<string, string>> = {
    ReadWriteOnce: 'RWO',
    ReadOnlyMany: 'ROX',
    ReadWriteMany: 'RWX',
    ReadWriteOncePod: 'RWOP',
  };
  return modes.map((mode) => short[String(mode)] ?? '').join(',');
}

export const persistentVolumeClaimPrinter: Printer = {
  columns: columns(
    'Name',
    'Status',
    'Volume',
    'Capacity',
    'Access Modes',
    'StorageClass',
    'VolumeAttributesClass',
    'Age',
    'VolumeMode+',
  ),
  cells(object, nowMs): Cell[] {
    const spec = specOf(object);
    const status = statusOf(object);
    const bound = textOr(spec.volumeName, '') !== '';
    return [
      object.metadata.name,
      object.metadata.deletionTimestamp ? 'Terminating' : textOr(status.phase, ''),
      textOr(spec.volumeName, ''),
      bound ? textOr(objectAt(status, 'capacity')?.storage, '') : '',
      bound ? accessModes(listAt(status, 'accessModes')) : '',
      textOr(spec.storageClassName, ''),
      textOr(spec.volumeAttributesClassName, UNSET),
      age(object.metadata.creationTimestamp, nowMs),
      textOr(spec.volumeMode, UNSET),
    ];
  },
};

export const persistentVolumePrinter: Printer = {
  columns: columns(
    'Name',
    'Capacity',
    'Access Modes',
    'Reclaim Policy',
    'Status',
    'Claim',
    'StorageClass',
    'VolumeAttributesClass',
    'Reason',
    'Age',
    'VolumeMode+',
  ),
  cells(object, nowMs): Cell[] {
    const spec = specOf(object);
    const claim = objectAt(spec, 'claimRef');
    return [
      object.metadata.name,
      textOr(objectAt(spec, 'capacity')?.storage, ''),
      accessModes(listAt(spec, 'accessModes')),
      textOr(spec.persistentVolumeReclaimPolicy, ''),
      object.metadata.deletionTimestamp ? 'Terminating' : textOr(statusOf(object).phase, ''),
      claim ? `${String(claim.namespace)}/${String(claim.name)}` : '',
      textOr(spec.storageClassName, ''),
      textOr(spec.volumeAttributesClassName, UNSET),
      textOr(statusOf(object).reason, ''),
      age(object.metadata.creationTimestamp, nowMs),
      textOr(spec.volumeMode, UNSET),
    ];
  },
};

export const storageClassPrinter: Printer = {
  columns: columns('Name', 'Provisioner', 'ReclaimPolicy', 'VolumeBindingMode', 'AllowVolumeExpansion', 'Age'),
  cells(object, nowMs) {
    const isDefault = object.metadata.annotations?.['storageclass.kubernetes.io/is-default-class'] === 'true';
    return [
      isDefault ? `${object.metadata.name} (default)` : object.metadata.name,
      textOr(object.provisioner, ''),
      textOr(object.reclaimPolicy, 'Delete'),
      textOr(object.volumeBindingMode, 'Immediate'),
      object.allowVolumeExpansion === true,
      age(object.metadata.creationTimestamp, nowMs),
    ];
  },
};
