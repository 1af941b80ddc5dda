import {
  about,
  boolean,
  type Infer,
  int32,
  int64,
  kind,
  list,
  object,
  oneOf,
  patchMergeList,
  required,
  setOf,
  string,
  templateMeta,
  time,
  withDefault,
} from '../../schema/index.ts';
import { podTemplateSpecSchema } from '../core/pod.ts';
import { objectReferenceSchema } from '../core/reference.ts';
import { labelSelectorSchema } from '../meta/label-selector.ts';

const BATCH = 'io.k8s.api.batch.v1';

const podFailurePolicySchema = object(`${BATCH}.PodFailurePolicy`, 'What failures mean.', {
  rules: required(
    list(
      object(`${BATCH}.PodFailurePolicyRule`, 'One kind of failure.', {
        action: required(oneOf(['Count', 'FailIndex', 'FailJob', 'Ignore'], 'What it means.')),
        onExitCodes: object(`${BATCH}.PodFailurePolicyOnExitCodesRequirement`, 'By exit code.', {
          containerName: string('Only this container.'),
          operator: required(oneOf(['In', 'NotIn'], 'How the code relates to the values.')),
          values: required(setOf(int32(), 'The exit codes.')),
        }),
        onPodConditions: list(
          object(`${BATCH}.PodFailurePolicyOnPodConditionsPattern`, 'By condition.', {
            type: required(string('The condition.')),
            status: string('Its status.'),
          }),
          'By condition of the pod.',
        ),
      }),
      'The rules, first match wins.',
    ),
  ),
});

const successPolicySchema = object(`${BATCH}.SuccessPolicy`, 'When the Job has succeeded early.', {
  rules: required(
    list(
      object(`${BATCH}.SuccessPolicyRule`, 'One way to succeed.', {
        succeededIndexes: string('Indexes that must succeed.'),
        succeededCount: int32('How many must succeed.'),
      }),
      'The rules.',
    ),
  ),
});

export const jobSpecSchema = object(`${BATCH}.JobSpec`, 'Desired state.', {
  parallelism: int32('Most pods at a time.'),
  completions: int32('Successes that are needed.'),
  activeDeadlineSeconds: int64('Seconds after which the Job is failed.'),
  podFailurePolicy: podFailurePolicySchema,
  successPolicy: successPolicySchema,
  backoffLimit: int32('Failures before the Job is failed.'),
  backoffLimitPerIndex: int32('Failures before an index is failed.'),
  maxFailedIndexes: int32('Failed indexes before the Job is failed.'),
  selector: labelSelectorSchema,
  manualSelector: boolean('The selector is given by the user.'),
  template: required(podTemplateSpecSchema),
  ttlSecondsAfterFinished: int32('Seconds after which a finished Job is deleted.'),
  completionMode: withDefault(oneOf(['Indexed', 'NonIndexed'], 'Whether each completion has an index.'), 'NonIndexed'),
  suspend: withDefault(boolean('No pods run.'), false),
  podReplacementPolicy: oneOf(['Failed', 'TerminatingOrFailed'], 'When a pod is replaced.'),
  managedBy: string('The controller in charge.'),
});
export interface JobSpec extends Infer<typeof jobSpecSchema> {}

const jobConditionSchema = object(`${BATCH}.JobCondition`, 'One aspect of the state.', {
  type: required(string('The aspect.')),
  status: required(string('Whether it holds.')),
  lastProbeTime: time('Last check.'),
  lastTransitionTime: time('Last change.'),
  reason: string('One word for programs.'),
  message: string('A sentence for people.'),
});

const jobStatusSchema = object(`${BATCH}.JobStatus`, 'Observed state.', {
  conditions: patchMergeList('type', jobConditionSchema, 'Details.'),
  startTime: time('Start.'),
  completionTime: time('End.'),
  active: int32('Running pods.'),
  succeeded: int32('Successes.'),
  failed: int32('Failures.'),
  terminating: int32('Pods that are going away.'),
  completedIndexes: string('Indexes that succeeded.'),
  failedIndexes: string('Indexes that failed.'),
  uncountedTerminatedPods: object(`${BATCH}.UncountedTerminatedPods`, 'Pods not counted yet.', {
    succeeded: setOf(string(), 'UIDs of pods that succeeded.'),
    failed: setOf(string(), 'UIDs of pods that failed.'),
  }),
  ready: int32('Ready pods.'),
});
export interface JobStatus extends Infer<typeof jobStatusSchema> {}

export const jobSchema = kind(`${BATCH}.Job`, 'Runs pods until enough of them succeed.', {
  spec: jobSpecSchema,
  status: jobStatusSchema,
});
export interface Job extends Infer<typeof jobSchema> {}

const cronJobSpecSchema = object(`${BATCH}.CronJobSpec`, 'Desired state.', {
  schedule: required(string('When, in Cron format.')),
  timeZone: string('Time zone of the schedule.'),
  startingDeadlineSeconds: int64('How late a Job may start.'),
  concurrencyPolicy: withDefault(oneOf(['Allow', 'Forbid', 'Replace'], 'When the last Job still runs.'), 'Allow'),
  suspend: withDefault(boolean('No new Jobs.'), false),
  jobTemplate: required(
    object(`${BATCH}.JobTemplateSpec`, 'What Jobs are made from.', { metadata: templateMeta, spec: jobSpecSchema }),
  ),
  successfulJobsHistoryLimit: withDefault(int32('How many succeeded Jobs are kept.'), 3),
  failedJobsHistoryLimit: withDefault(int32('How many failed Jobs are kept.'), 1),
});

export const cronJobSchema = kind(`${BATCH}.CronJob`, 'Makes Jobs on a schedule.', {
  spec: cronJobSpecSchema,
  status: object(`${BATCH}.CronJobStatus`, 'Observed state.', {
    active: list(about(objectReferenceSchema, 'A running Job.'), 'Running Jobs.'),
    lastScheduleTime: time('Last start.'),
    lastSuccessfulTime: time('Last success.'),
  }),
});
export interface CronJob extends Infer<typeof cronJobSchema> {}
