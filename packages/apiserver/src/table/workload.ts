import { type JsonObject, listAt, numberAt, objectAt } from '../object/api-object.ts';
import {
  conditionOf,
  containerCells,
  countOf,
  labelsText,
  selectorText,
  specOf,
  statusOf,
  textOr,
} from './cell-text.ts';
import { type Cell, columns, NONE, type Printer } from './column.ts';
import { age, humanDuration } from './human-duration.ts';

const WIDE = ['Containers+', 'Images+', 'Selector+'];

function wideCells(object: JsonObject): Cell[] {
  const spec = specOf(object);
  return [...containerCells(spec.template), selectorText(spec.selector)];
}

export const deploymentPrinter: Printer = {
  columns: columns('Name', 'Ready', 'Up-to-date', 'Available', 'Age', ...WIDE),
  cells(object, nowMs) {
    const status = statusOf(object);
    return [
      object.metadata.name,
      `${countOf(status.readyReplicas)}/${countOf(specOf(object).replicas)}`,
      countOf(status.updatedReplicas),
      countOf(status.availableReplicas),
      age(object.metadata.creationTimestamp, nowMs),
      ...wideCells(object),
    ];
  },
};

export const replicaSetPrinter: Printer = {
  columns: columns('Name', 'Desired:integer', 'Current:integer', 'Ready:integer', 'Age', ...WIDE),
  cells(object, nowMs) {
    const status = statusOf(object);
    return [
      object.metadata.name,
      countOf(specOf(object).replicas),
      countOf(status.replicas),
      countOf(status.readyReplicas),
      age(object.metadata.creationTimestamp, nowMs),
      ...wideCells(object),
    ];
  },
};

export const replicationControllerPrinter: Printer = {
  columns: replicaSetPrinter.columns,
  cells(object, nowMs) {
    const cells = replicaSetPrinter.cells(object, nowMs);
    return [...cells.slice(0, -1), labelsText(specOf(object).selector)];
  },
};

export const daemonSetPrinter: Printer = {
  columns: columns(
    'Name',
    'Desired:integer',
    'Current:integer',
    'Ready:integer',
    'Up-to-date:integer',
    'Available:integer',
    'Node Selector',
    'Age',
    ...WIDE,
  ),
  cells(object, nowMs) {
    const status = statusOf(object);
    return [
      object.metadata.name,
      countOf(status.desiredNumberScheduled),
      countOf(status.currentNumberScheduled),
      countOf(status.numberReady),
      countOf(status.updatedNumberScheduled),
      countOf(status.numberAvailable),
      labelsText(objectAt(specOf(object), 'template', 'spec', 'nodeSelector')),
      age(object.metadata.creationTimestamp, nowMs),
      ...wideCells(object),
    ];
  },
};

export const statefulSetPrinter: Printer = {
  columns: columns('Name', 'Ready', 'Age', 'Containers+', 'Images+'),
  cells(object, nowMs) {
    return [
      object.metadata.name,
      `${countOf(statusOf(object).readyReplicas)}/${countOf(specOf(object).replicas)}`,
      age(object.metadata.creationTimestamp, nowMs),
      ...containerCells(specOf(object).template),
    ];
  },
};

export const controllerRevisionPrinter: Printer = {
  columns: columns('Name', 'Controller', 'Revision', 'Age'),
  cells(object, nowMs) {
    const owner = object.metadata.ownerReferences?.find(({ controller }) => controller);
    const group = owner?.apiVersion.includes('/') ? `.${owner.apiVersion.split('/')[0]}` : '';
    return [
      object.metadata.name,
      owner ? `${owner.kind.toLowerCase()}${group}/${owner.name}` : NONE,
      String(numberAt(object, 'revision') ?? 0),
      age(object.metadata.creationTimestamp, nowMs),
    ];
  },
};

export const jobPrinter: Printer = {
  columns: columns('Name', 'Status', 'Completions', 'Duration', 'Age', ...WIDE),
  cells(object, nowMs) {
    const spec = specOf(object);
    const status = statusOf(object);
    const succeeded = countOf(status.succeeded);
    const parallel = countOf(spec.parallelism);
    const completions =
      typeof spec.completions === 'number'
        ? `${succeeded}/${spec.completions}`
        : parallel > 1
          ? `${succeeded}/1 of ${parallel}`
          : `${succeeded}/1`;
    return [
      object.metadata.name,
      jobStatus(object),
      completions,
      duration(status, nowMs),
      age(object.metadata.creationTimestamp, nowMs),
      ...wideCells(object),
    ];
  },
};

function jobStatus(job: JsonObject & { metadata: { deletionTimestamp?: string } }): string {
  const holds = (type: string) => conditionOf(job, type)?.status === 'True';
  if (holds('Complete')) return 'Complete';
  if (holds('Failed')) return 'Failed';
  if (job.metadata.deletionTimestamp) return 'Terminating';
  if (holds('Suspended')) return 'Suspended';
  if (holds('FailureTarget')) return 'FailureTarget';
  if (holds('SuccessCriteriaMet')) return 'SuccessCriteriaMet';
  return 'Running';
}

function duration(status: JsonObject, nowMs: number): string {
  const start = Date.parse(textOr(status.startTime, ''));
  if (Number.isNaN(start)) return '';
  const end = Date.parse(textOr(status.completionTime, ''));
  return humanDuration((Number.isNaN(end) ? nowMs : end) - start);
}

export const cronJobPrinter: Printer = {
  columns: columns(
    'Name',
    'Schedule',
    'Timezone',
    'Suspend:boolean',
    'Active:integer',
    'Last Schedule',
    'Age',
    ...WIDE,
  ),
  cells(object, nowMs) {
    const spec = specOf(object);
    const status = statusOf(object);
    const jobSpec = objectAt(spec, 'jobTemplate', 'spec') ?? {};
    return [
      object.metadata.name,
      textOr(spec.schedule, ''),
      textOr(spec.timeZone, NONE),
      spec.suspend === true ? 'True' : 'False',
      listAt(status, 'active').length,
      status.lastScheduleTime === undefined ? NONE : age(status.lastScheduleTime, nowMs),
      age(object.metadata.creationTimestamp, nowMs),
      ...containerCells(jobSpec.template),
      selectorText(jobSpec.selector),
    ];
  },
};

export const podTemplatePrinter: Printer = {
  columns: columns('Name', 'Containers', 'Images', 'Pod Labels'),
  cells(object) {
    return [
      object.metadata.name,
      ...containerCells(object.template),
      labelsText(objectAt(object, 'template', 'metadata', 'labels')),
    ];
  },
};

export const disruptionBudgetPrinter: Printer = {
  columns: columns('Name', 'Min Available', 'Max Unavailable', 'Allowed Disruptions:integer', 'Age'),
  cells(object, nowMs) {
    const { minAvailable, maxUnavailable } = specOf(object);
    return [
      object.metadata.name,
      minAvailable === undefined ? 'N/A' : String(minAvailable),
      maxUnavailable === undefined ? 'N/A' : String(maxUnavailable),
      countOf(statusOf(object).disruptionsAllowed),
      age(object.metadata.creationTimestamp, nowMs),
    ];
  },
};
