import { randomInt } from 'node:crypto';
import type { ApiObject } from '../object/api-object.ts';
import type { FieldProblem } from '../object/failures.ts';
import { forbiddenValue, invalidValue, requiredValue } from '../object/field-problems.ts';
import type { ResourceDefinition } from '../resources/definition.ts';
import { dnsLabel, dnsSubdomain, labelValue, qualifiedName } from '../validation/formats.ts';

/** Letters and digits that cannot spell words and are not mistaken for one another. */
const SUFFIX_ALPHABET = 'bcdfghjklmnpqrstvwxz2456789';
const SUFFIX_LENGTH = 5;
const MAX_GENERATED_BASE = 63 - SUFFIX_LENGTH;

/** A name from metadata.generateName: the base, cut to fit a DNS label, and five random characters. */
export function generateName(base: string): string {
  let name = base.slice(0, MAX_GENERATED_BASE);
  for (let i = 0; i < SUFFIX_LENGTH; i++) name += SUFFIX_ALPHABET[randomInt(SUFFIX_ALPHABET.length)];
  return name;
}

/** Kinds whose names become DNS labels. */
const LABEL_NAMED = new Set(['namespaces', 'services']);
/** Kinds whose names are free, as long as they fit into a path. */
const PATH_NAMED = /(^|\.)(roles|clusterroles|rolebindings|clusterrolebindings)\./;

/** What is wrong with metadata.name, namespace rules aside. */
export function validateName(resource: ResourceDefinition, name: string): FieldProblem[] {
  const field = 'metadata.name';
  if (!name) return [requiredValue(field, 'name or generateName is required')];
  if (PATH_NAMED.test(resource.storageKey)) {
    // The store keeps keys as well-formed text without control characters.
    return /^\.{1,2}$|[/%]|\p{Cc}/u.test(name) || !name.isWellFormed()
      ? [invalidValue(field, name, "may not be '.' or '..', nor contain '/', '%' or control characters")]
      : [];
  }
  const wrong = LABEL_NAMED.has(resource.storageKey) ? dnsLabel(name) : dnsSubdomain(name);
  return wrong === undefined ? [] : [invalidValue(field, name, wrong)];
}

function validateKey(field: string, key: string): FieldProblem[] {
  const wrong = qualifiedName(key);
  return wrong === undefined ? [] : [invalidValue(field, key, wrong)];
}

const MAX_ANNOTATION_BYTES = 256 * 1024;

/** Labels, annotations, finalizers and owners. */
export function validateMetadata(object: ApiObject): FieldProblem[] {
  const problems: FieldProblem[] = [];
  const { labels, annotations, ownerReferences, finalizers } = object.metadata;
  for (const [key, value] of Object.entries(labels ?? {})) {
    problems.push(...validateKey('metadata.labels', key));
    const wrong = labelValue(String(value));
    if (wrong !== undefined) problems.push(invalidValue('metadata.labels', value, wrong));
  }
  let annotationBytes = 0;
  for (const [key, value] of Object.entries(annotations ?? {})) {
    problems.push(...validateKey('metadata.annotations', key.toLowerCase()));
    annotationBytes += key.length + Buffer.byteLength(String(value));
  }
  if (annotationBytes > MAX_ANNOTATION_BYTES) {
    problems.push({
      reason: 'FieldValueTooLong',
      message: `Too long: may not be more than ${MAX_ANNOTATION_BYTES} bytes`,
      field: 'metadata.annotations',
    });
  }
  for (const [i, owner] of (ownerReferences ?? []).entries()) {
    for (const name of ['apiVersion', 'kind', 'name', 'uid'] as const) {
      if (!owner[name]) problems.push(invalidValue(`metadata.ownerReferences[${i}].${name}`, '', 'must not be empty'));
    }
  }
  if ((ownerReferences ?? []).filter(({ controller }) => controller).length > 1) {
    problems.push(
      invalidValue('metadata.ownerReferences', ownerReferences, 'Only one reference can have Controller set to true'),
    );
  }
  for (const finalizer of finalizers ?? []) problems.push(...validateKey('metadata.finalizers', finalizer));
  if (finalizers?.includes('orphan') && finalizers.includes('foregroundDeletion')) {
    problems.push(
      invalidValue('metadata.finalizers', finalizers, 'finalizer orphan and foregroundDeletion cannot be both set'),
    );
  }
  return problems;
}

/** While an object is being deleted, its finalizers may only become fewer. */
export function validateFinalizersWhileDeleting(object: ApiObject, old: ApiObject): FieldProblem[] {
  if (!old.metadata.deletionTimestamp) return [];
  const added = (object.metadata.finalizers ?? []).filter((name) => !old.metadata.finalizers?.includes(name));
  if (added.length === 0) return [];
  const list = added.map((name) => JSON.stringify(name)).join(', ');
  return [
    forbiddenValue(
      'metadata.finalizers',
      `no new finalizers can be added if the object is being deleted, found new finalizers []string{${list}}`,
    ),
  ];
}
