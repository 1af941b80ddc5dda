import type {
  CustomResourceDefinition,
  CustomResourceDefinitionCondition,
  CustomResourceDefinitionNames,
} from '@ballast/kube';

/** Names of a group that are taken: by built-in resources or other definitions. */
export interface TakenNames {
  readonly resources: ReadonlySet<string>;
  readonly kinds: ReadonlySet<string>;
}

/** The definition with singular and listKind filled in (as upstream does on write). */
export function completeNames(names: CustomResourceDefinitionNames): CustomResourceDefinitionNames {
  return {
    ...names,
    singular: names.singular ?? names.kind.toLowerCase(),
    listKind: names.listKind ?? `${names.kind}List`,
  };
}

/**
 * The status a definition should have: whether its names are free in its group, whether it is served, and the versions that objects may be
 * stored in. `now` is a meta/v1 Time.
 */
export function crdStatus(
  crd: CustomResourceDefinition,
  taken: TakenNames,
  now: string,
): NonNullable<CustomResourceDefinition['status']> {
  const names = completeNames(crd.spec.names);
  const clashes = [
    ...[names.plural, names.singular ?? '', ...(names.shortNames ?? [])].filter((name) => taken.resources.has(name)),
    ...[names.kind, names.listKind ?? ''].filter((name) => taken.kinds.has(name)),
  ];
  const accepted = clashes.length === 0;
  const before = crd.status?.conditions ?? [];
  const condition = (
    type: string,
    status: boolean,
    reason: string,
    message: string,
  ): CustomResourceDefinitionCondition => {
    const known = before.find((candidate) => candidate.type === type);
    const text = status ? 'True' : 'False';
    const lastTransitionTime = known?.status === text ? (known.lastTransitionTime ?? now) : now;
    return { type, status: text, lastTransitionTime, reason, message };
  };
  const wasEstablished = before.some(({ type, status }) => type === 'Established' && status === 'True');
  const named = accepted
    ? condition('NamesAccepted', true, 'NoConflicts', 'no conflicts found')
    : condition(
        'NamesAccepted',
        false,
        'NamesConflict',
        `${clashes.map((name) => `"${name}"`).join(', ')} is already in use`,
      );
  // Once served, a definition stays served: its objects must not become unreachable by a later clash.
  const established =
    accepted || wasEstablished
      ? condition('Established', true, 'InitialNamesAccepted', 'the initial names have been accepted')
      : condition('Established', false, 'NotAccepted', 'not all names are accepted');
  const storage = crd.spec.versions.find((version) => version.storage)?.name;
  const stored = crd.status?.storedVersions ?? [];
  const others = before.filter(({ type }) => type !== 'NamesAccepted' && type !== 'Established');
  return {
    ...crd.status,
    conditions: [...others, named, established],
    acceptedNames: accepted ? names : (crd.status?.acceptedNames ?? { plural: '', kind: '' }),
    storedVersions: storage === undefined || stored.includes(storage) ? stored : [...stored, storage],
  };
}

/** True when the definition's objects can be used. */
export function isEstablished(crd: CustomResourceDefinition): boolean {
  return (crd.status?.conditions ?? []).some(({ type, status }) => type === 'Established' && status === 'True');
}
