import type { ApiObject, JsonObject } from '../object/api-object.ts';
import * as cluster from './cluster.ts';
import type { Cell, Column, Printer, RowCondition } from './column.ts';
import { columns } from './column.ts';
import { customPrinter } from './custom.ts';
import * as network from './network.ts';
import { podPrinter } from './pod.ts';
import * as workload from './workload.ts';

export type { Cell, Column, RowCondition } from './column.ts';
export { humanDuration } from './human-duration.ts';
export { type JsonPath, JsonPathError, parseJsonPath, valuesAt } from './json-path.ts';

/** Which table is asked for; the resource definitions of the API server fit. */
export interface TableKind {
  readonly group: string;
  readonly kind: string;
  readonly custom?: { readonly printerColumns: readonly JsonObject[] } | undefined;
}

/** The columns of a kind and its rows. */
export interface KindTable {
  readonly columns: readonly Column[];
  cells(object: ApiObject, nowMs: number): Cell[];
  /** Remarks on the row; an empty list for most. */
  conditions(object: ApiObject): RowCondition[];
}

const RBAC_GROUP = 'rbac.authorization.k8s.io';

const PRINTERS: Readonly<Record<string, Printer>> = {
  '/Pod': podPrinter,
  '/PodTemplate': workload.podTemplatePrinter,
  '/ReplicationController': workload.replicationControllerPrinter,
  '/Service': network.servicePrinter,
  '/Endpoints': network.endpointsPrinter,
  '/Node': cluster.nodePrinter,
  '/Namespace': cluster.namespacePrinter,
  '/Event': cluster.eventPrinter,
  '/Secret': cluster.secretPrinter,
  '/ConfigMap': cluster.configMapPrinter,
  '/ServiceAccount': cluster.serviceAccountPrinter,
  '/ResourceQuota': cluster.resourceQuotaPrinter,
  '/LimitRange': cluster.limitRangePrinter,
  '/PersistentVolume': cluster.persistentVolumePrinter,
  '/PersistentVolumeClaim': cluster.persistentVolumeClaimPrinter,
  'apps/Deployment': workload.deploymentPrinter,
  'apps/ReplicaSet': workload.replicaSetPrinter,
  'apps/DaemonSet': workload.daemonSetPrinter,
  'apps/StatefulSet': workload.statefulSetPrinter,
  'apps/ControllerRevision': workload.controllerRevisionPrinter,
  'batch/Job': workload.jobPrinter,
  'batch/CronJob': workload.cronJobPrinter,
  'policy/PodDisruptionBudget': workload.disruptionBudgetPrinter,
  'events.k8s.io/Event': cluster.eventPrinter,
  'coordination.k8s.io/Lease': cluster.leasePrinter,
  'discovery.k8s.io/EndpointSlice': network.endpointSlicePrinter,
  'networking.k8s.io/Ingress': network.ingressPrinter,
  'networking.k8s.io/IngressClass': network.ingressClassPrinter,
  'networking.k8s.io/NetworkPolicy': network.networkPolicyPrinter,
  'networking.k8s.io/ServiceCIDR': network.serviceCidrPrinter,
  'networking.k8s.io/IPAddress': network.ipAddressPrinter,
  'node.k8s.io/RuntimeClass': cluster.runtimeClassPrinter,
  'scheduling.k8s.io/PriorityClass': cluster.priorityClassPrinter,
  'storage.k8s.io/StorageClass': cluster.storageClassPrinter,
  [`${RBAC_GROUP}/Role`]: cluster.rolePrinter,
  [`${RBAC_GROUP}/ClusterRole`]: cluster.rolePrinter,
  [`${RBAC_GROUP}/RoleBinding`]: cluster.bindingPrinter,
  [`${RBAC_GROUP}/ClusterRoleBinding`]: cluster.bindingPrinter,
  'apiextensions.k8s.io/CustomResourceDefinition': cluster.customResourceDefinitionPrinter,
};

const DEFAULT: Printer = {
  columns: columns('Name', 'Created At:date'),
  cells: (object) => [object.metadata.name, object.metadata.creationTimestamp ?? null],
};

const customTables = new WeakMap<readonly JsonObject[], Printer>();

/** How objects of a kind are shown by `kubectl get`. */
export function tableFor(kind: TableKind): KindTable {
  const printer = printerOf(kind);
  return {
    columns: printer.columns,
    cells: (object, nowMs) => printer.cells(object, nowMs),
    conditions: (object) => printer.conditions?.(object) ?? [],
  };
}

function printerOf({ group, kind, custom }: TableKind): Printer {
  if (!custom) return PRINTERS[`${group}/${kind}`] ?? DEFAULT;
  let printer = customTables.get(custom.printerColumns);
  if (!printer) {
    printer = customPrinter(custom.printerColumns);
    customTables.set(custom.printerColumns, printer);
  }
  return printer;
}
