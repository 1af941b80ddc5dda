import { type LabelSelector, matchesLabelSelector } from '@ballast/kube';
import { isJsonObject, type JsonObject, listAt, objectAt } from '../object/api-object.ts';
import { forbiddenValue, invalidValue, requiredValue, unsupportedValue } from '../object/field-problems.ts';
import { checkLabels, checkSelector, emptySelectorProblem, isEmptySelector } from './labels.ts';
import { checkPodSpec, same } from './pod.ts';
import type { Problems } from './problems.ts';
import { claimTemplateVolumes } from './volume.ts';

/** A pod template: its labels and its pod spec. */
export function checkTemplate(template: unknown, path: string, problems: Problems): void {
  if (!isJsonObject(template)) return;
  checkLabels(objectAt(template, 'metadata', 'labels'), `${path}.labels`, problems);
  if (isJsonObject(template.spec)) checkPodSpec(template.spec, `${path}.spec`, problems);
}

function labelsOf(template: unknown): Record<string, string> {
  const labels: Record<string, string> = {};
  for (const [key, value] of Object.entries(objectAt(template, 'metadata', 'labels') ?? {})) {
    if (typeof value === 'string') labels[key] = value;
  }
  return labels;
}

function checkWorkload(object: JsonObject, kind: string, restartPolicies: readonly string[], problems: Problems): void {
  const spec = isJsonObject(object.spec) ? object.spec : {};
  problems.nonNegative('spec.replicas', spec.replicas);
  problems.nonNegative('spec.minReadySeconds', spec.minReadySeconds);
  problems.nonNegative('spec.revisionHistoryLimit', spec.revisionHistoryLimit);
  const { selector, template } = spec;
  if (isJsonObject(selector)) {
    checkSelector(selector, 'spec.selector', problems);
    if (isEmptySelector(selector)) problems.add(emptySelectorProblem('spec.selector', selector, kind));
    else if (!matchesLabelSelector(selector as LabelSelector, labelsOf(template))) {
      const labels = objectAt(template, 'metadata', 'labels') ?? null;
      problems.add(
        invalidValue('spec.template.metadata.labels', labels, '`selector` does not match template `labels`'),
      );
    }
  }
  if (kind === 'replicaset' && template === undefined) problems.add(requiredValue('spec.template.spec.containers'));
  checkTemplate(withClaims(template, spec), 'spec.template', problems);
  const policy = objectAt(template, 'spec')?.restartPolicy;
  if (typeof policy === 'string' && !restartPolicies.includes(policy)) {
    problems.add(unsupportedValue('spec.template.spec.restartPolicy', policy, restartPolicies));
  }
  if (restartPolicies.length === 1 && objectAt(template, 'spec')?.activeDeadlineSeconds !== undefined) {
    const what =
      kind === 'replicaset'
        ? 'ReplicaSet'
        : kind === 'deployment'
          ? 'ReplicaSet'
          : kind === 'daemonset'
            ? 'DaemonSet'
            : 'StatefulSet';
    problems.add(
      forbiddenValue('spec.template.spec.activeDeadlineSeconds', `activeDeadlineSeconds in ${what} is not Supported`),
    );
  }
}

/** Containers of a StatefulSet may mount its claims as if they were volumes of the template. */
function withClaims(template: unknown, spec: JsonObject): unknown {
  const claims = claimTemplateVolumes(spec);
  const podSpec = objectAt(template, 'spec');
  if (claims.length === 0 || !isJsonObject(template) || !podSpec) return template;
  const own = listAt(podSpec, 'volumes');
  const names = new Set(own.map((volume) => (isJsonObject(volume) ? volume.name : undefined)));
  const added = claims.filter(({ name }) => !names.has(name));
  return { ...template, spec: { ...podSpec, volumes: [...own, ...added] } };
}

export function checkDeployment(object: JsonObject, problems: Problems): void {
  checkWorkload(object, 'deployment', ['Always'], problems);
  const spec = isJsonObject(object.spec) ? object.spec : {};
  const strategy = objectAt(spec, 'strategy');
  const rolling = objectAt(strategy, 'rollingUpdate');
  if (strategy?.type === 'Recreate' && rolling) {
    problems.add(
      forbiddenValue('spec.strategy.rollingUpdate', "may not be specified when strategy `type` is 'Recreate'"),
    );
  } else if (rolling) {
    checkShare(rolling.maxUnavailable, 'spec.strategy.rollingUpdate.maxUnavailable', problems);
    checkShare(rolling.maxSurge, 'spec.strategy.rollingUpdate.maxSurge', problems);
    if (isZero(rolling.maxUnavailable) && isZero(rolling.maxSurge)) {
      problems.add(
        invalidValue(
          'spec.strategy.rollingUpdate.maxUnavailable',
          rolling.maxUnavailable,
          'may not be 0 when `maxSurge` is 0',
        ),
      );
    }
    if (percentOf(rolling.maxUnavailable) > 100) {
      problems.add(
        invalidValue(
          'spec.strategy.rollingUpdate.maxUnavailable',
          rolling.maxUnavailable,
          'must not be greater than 100%',
        ),
      );
    }
  }
  const deadline = spec.progressDeadlineSeconds;
  problems.nonNegative('spec.progressDeadlineSeconds', deadline);
  if (typeof deadline === 'number' && deadline <= Number(spec.minReadySeconds ?? 0)) {
    problems.add(invalidValue('spec.progressDeadlineSeconds', deadline, 'must be greater than minReadySeconds'));
  }
}

function percentOf(value: unknown): number {
  return typeof value === 'string' && value.endsWith('%') ? Number.parseInt(value, 10) : 0;
}

function isZero(value: unknown): boolean {
  return value === undefined || value === 0 || value === '0' || value === '0%';
}

/** A number of pods, or a percentage. */
function checkShare(value: unknown, path: string, problems: Problems): void {
  if (typeof value === 'string' && !/^[0-9]+%$/.test(value)) {
    problems.add(
      invalidValue(
        path,
        value,
        "a valid percent string must be a numeric string followed by an ending '%' (e.g. '1%',  or '93%', regex used for validation is '[0-9]+%')",
      ),
    );
  } else problems.nonNegative(path, value);
}

export function checkReplicaSet(object: JsonObject, problems: Problems): void {
  checkWorkload(object, 'replicaset', ['Always'], problems);
}

export function checkDaemonSet(object: JsonObject, problems: Problems): void {
  checkWorkload(object, 'daemonset', ['Always'], problems);
  const rolling = objectAt(object, 'spec', 'updateStrategy', 'rollingUpdate');
  if (!rolling) return;
  const at = 'spec.updateStrategy.rollingUpdate';
  checkShare(rolling.maxUnavailable, `${at}.maxUnavailable`, problems);
  checkShare(rolling.maxSurge, `${at}.maxSurge`, problems);
  const { maxUnavailable, maxSurge } = rolling;
  if (!isZero(maxUnavailable) && !isZero(maxSurge)) {
    problems.add(invalidValue(`${at}.maxSurge`, maxSurge, 'may not be set when maxUnavailable is non-zero'));
  } else if (isZero(maxUnavailable) && isZero(maxSurge)) {
    problems.add(requiredValue(`${at}.maxUnavailable`, 'cannot be 0 when maxSurge is 0'));
  }
}

export function checkStatefulSet(object: JsonObject, problems: Problems): void {
  checkWorkload(object, 'statefulset', ['Always'], problems);
}

export function checkJob(object: JsonObject, problems: Problems): void {
  const spec = isJsonObject(object.spec) ? object.spec : {};
  for (const field of [
    'parallelism',
    'completions',
    'activeDeadlineSeconds',
    'backoffLimit',
    'ttlSecondsAfterFinished',
  ]) {
    problems.nonNegative(`spec.${field}`, spec[field]);
  }
  checkTemplate(spec.template, 'spec.template', problems);
  const policy = objectAt(spec, 'template', 'spec')?.restartPolicy;
  if (policy !== 'OnFailure' && policy !== 'Never') {
    problems.add(
      policy === undefined
        ? requiredValue('spec.template.spec.restartPolicy', 'valid values: "OnFailure", "Never"')
        : unsupportedValue('spec.template.spec.restartPolicy', policy, ['OnFailure', 'Never']),
    );
  }
}

/** The selector of a workload never changes. */
export function checkSelectorUnchanged(object: JsonObject, old: JsonObject, problems: Problems): void {
  const now = objectAt(object, 'spec')?.selector;
  if (!same(now, objectAt(old, 'spec')?.selector))
    problems.add(invalidValue('spec.selector', now ?? null, 'field is immutable'));
}

const STATEFUL_SET_CHANGEABLE = [
  'replicas',
  'ordinals',
  'template',
  'updateStrategy',
  'revisionHistoryLimit',
  'persistentVolumeClaimRetentionPolicy',
  'minReadySeconds',
];

export function checkStatefulSetUpdate(object: JsonObject, old: JsonObject, problems: Problems): void {
  const rest = (source: unknown) => {
    const copy: JsonObject = { ...(objectAt(source, 'spec') ?? {}) };
    for (const field of STATEFUL_SET_CHANGEABLE) delete copy[field];
    return copy;
  };
  if (same(rest(object), rest(old))) return;
  problems.add(
    forbiddenValue(
      'spec',
      "updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', 'updateStrategy', 'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are forbidden",
    ),
  );
}
