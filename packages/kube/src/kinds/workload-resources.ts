import { type ControllerRevision, controllerRevisionSchema } from './apps/controller-revision.ts';
import { type DaemonSet, daemonSetSchema } from './apps/daemon-set.ts';
import { type Deployment, deploymentSchema } from './apps/deployment.ts';
import { type ReplicaSet, replicaSetSchema } from './apps/replica-set.ts';
import { type StatefulSet, statefulSetSchema } from './apps/stateful-set.ts';
import { type CronJob, cronJobSchema, type Job, jobSchema } from './batch/job.ts';
import { type PodDisruptionBudget, podDisruptionBudgetSchema } from './policy/pod-disruption-budget.ts';
import { group, SCALE, STATUS } from './resource-group.ts';

const apps = group('apps', 'v1');
const batch = group('batch', 'v1');

export const CONTROLLER_REVISIONS = apps<ControllerRevision>({
  plural: 'controllerrevisions',
  kind: 'ControllerRevision',
  schema: controllerRevisionSchema,
});

export const DAEMON_SETS = apps<DaemonSet>({
  plural: 'daemonsets',
  kind: 'DaemonSet',
  shortNames: ['ds'],
  categories: ['all'],
  subresources: [STATUS],
  schema: daemonSetSchema,
});

export const DEPLOYMENTS = apps<Deployment>({
  plural: 'deployments',
  kind: 'Deployment',
  shortNames: ['deploy'],
  categories: ['all'],
  subresources: [SCALE, STATUS],
  schema: deploymentSchema,
});

export const REPLICA_SETS = apps<ReplicaSet>({
  plural: 'replicasets',
  kind: 'ReplicaSet',
  shortNames: ['rs'],
  categories: ['all'],
  subresources: [SCALE, STATUS],
  schema: replicaSetSchema,
});

export const STATEFUL_SETS = apps<StatefulSet>({
  plural: 'statefulsets',
  kind: 'StatefulSet',
  shortNames: ['sts'],
  categories: ['all'],
  subresources: [SCALE, STATUS],
  schema: statefulSetSchema,
});

export const CRON_JOBS = batch<CronJob>({
  plural: 'cronjobs',
  kind: 'CronJob',
  shortNames: ['cj'],
  categories: ['all'],
  subresources: [STATUS],
  schema: cronJobSchema,
});

export const JOBS = batch<Job>({
  plural: 'jobs',
  kind: 'Job',
  categories: ['all'],
  subresources: [STATUS],
  schema: jobSchema,
});

export const POD_DISRUPTION_BUDGETS = group(
  'policy',
  'v1',
)<PodDisruptionBudget>({
  plural: 'poddisruptionbudgets',
  kind: 'PodDisruptionBudget',
  shortNames: ['pdb'],
  subresources: [STATUS],
  schema: podDisruptionBudgetSchema,
});
