import { ApiError, STATUS_CODES, type Status, type StatusReason } from '@ballast/kube';

/** The group and plural of a resource, as error texts name it. */
export interface NamedResource {
  readonly group: string;
  readonly plural: string;
}

/** One thing wrong with a field, as it appears in details.causes of an Invalid answer. */
export interface FieldProblem {
  readonly reason:
    | 'FieldValueInvalid'
    | 'FieldValueRequired'
    | 'FieldValueForbidden'
    | 'FieldValueDuplicate'
    | 'FieldValueNotSupported'
    | 'FieldValueNotFound'
    | 'FieldValueTypeInvalid'
    | 'FieldValueTooLong'
    | 'FieldValueTooMany'
    | (string & {});
  /** Without the path: 'Invalid value: 3: must be less than 2'. */
  readonly message: string;
  readonly field: string;
}

/** An answer that is not a success: an ApiError whose Status is complete. */
export function failure(reason: StatusReason, message: string, details?: Status['details']): ApiError {
  const code = STATUS_CODES[reason];
  const status: Status = {
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Failure',
    message,
    reason,
    ...(details ? { details } : {}),
    code,
  };
  return new ApiError(reason, message, { status });
}

export function qualifiedName(resource: NamedResource): string {
  return resource.group === '' ? resource.plural : `${resource.plural}.${resource.group}`;
}

function detailsOf(resource: NamedResource, name: string): NonNullable<Status['details']> {
  return { name, ...(resource.group === '' ? {} : { group: resource.group }), kind: resource.plural };
}

export const notFound = (resource: NamedResource, name: string): ApiError =>
  failure('NotFound', `${qualifiedName(resource)} "${name}" not found`, detailsOf(resource, name));

export const alreadyExists = (resource: NamedResource, name: string): ApiError =>
  failure('AlreadyExists', `${qualifiedName(resource)} "${name}" already exists`, detailsOf(resource, name));

export const conflict = (resource: NamedResource, name: string, why: string, causes?: Causes): ApiError =>
  failure('Conflict', `Operation cannot be fulfilled on ${qualifiedName(resource)} "${name}": ${why}`, {
    ...detailsOf(resource, name),
    ...(causes ? { causes } : {}),
  });

type Causes = NonNullable<NonNullable<Status['details']>['causes']>;

export const modifiedMeanwhile = (resource: NamedResource, name: string): ApiError =>
  conflict(
    resource,
    name,
    'the object has been modified; please apply your changes to the latest version and try again',
  );

export const forbidden = (resource: NamedResource, name: string, why: string, causes?: Causes): ApiError =>
  failure(
    'Forbidden',
    name === ''
      ? `${qualifiedName(resource)} is forbidden: ${why}`
      : `${qualifiedName(resource)} "${name}" is forbidden: ${why}`,
    { ...detailsOf(resource, name), ...(causes ? { causes } : {}) },
  );

export const badRequest = (message: string): ApiError => failure('BadRequest', message);

export const internalError = (message: string): ApiError =>
  failure('InternalError', `Internal error occurred: ${message}`, { causes: [{ message }] });

/** No such path, or no such resource in this group and version. */
export const noSuchPath = (): ApiError => failure('NotFound', 'the server could not find the requested resource', {});

export const methodNotAllowed = (): ApiError =>
  failure('MethodNotAllowed', 'the server does not allow this method on the requested resource', {});

export const expired = (message: string): ApiError => failure('Expired', message);

/** 504: the client asked for a version that this server has not seen, and should ask again in a second. */
export const versionTooLarge = (asked: number, current: number): ApiError =>
  failure('Timeout', `Too large resource version: ${asked}, current: ${current}`, {
    causes: [{ reason: 'ResourceVersionTooLarge', message: 'Too large resource version' }],
    retryAfterSeconds: 1,
  });

/** 422 with every problem at once, in upstream's wording. */
export function invalid(
  kind: { group: string; kind: string },
  name: string,
  problems: readonly FieldProblem[],
): ApiError {
  const texts = problems.map(({ field, message }) => `${field}: ${message}`);
  const what = kind.group === '' ? kind.kind : `${kind.kind}.${kind.group}`;
  const list = texts.length === 1 ? texts[0] : `[${texts.join(', ')}]`;
  return failure('Invalid', `${what} "${name}" is invalid: ${list}`, {
    name,
    ...(kind.group === '' ? {} : { group: kind.group }),
    kind: kind.kind,
    causes: problems.map(({ reason, message, field }) => ({ reason, message, field })),
  });
}
