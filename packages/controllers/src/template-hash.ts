import { createHash, randomInt } from 'node:crypto';
import type { PodTemplateSpec } from '@ballast/kube';
import { canonicalJson } from './same.ts';

export const POD_TEMPLATE_HASH = 'pod-template-hash';

/** No vowels and no 0, 1, 3: what comes out never reads as a word (apimachinery util/rand). */
const SAFE_ALPHABET = 'bcdfghjklmnpqrstvwxz2456789';

/** A name-safe hash of a pod template; another `collisionCount` gives another hash of the same template. */
export function templateHash(template: PodTemplateSpec, collisionCount = 0): string {
  const digest = createHash('sha256')
    .update(canonicalJson(withoutHashLabel(template)))
    .update(collisionCount === 0 ? '' : `#${collisionCount}`)
    .digest();
  return Array.from(digest.subarray(0, 10), (byte) => SAFE_ALPHABET[byte % SAFE_ALPHABET.length]).join('');
}

/** True when two templates differ in nothing but the hash label that the Deployment controller adds. */
export function sameTemplate(a: PodTemplateSpec, b: PodTemplateSpec): boolean {
  return canonicalJson(withoutHashLabel(a)) === canonicalJson(withoutHashLabel(b));
}

/** Five random name-safe characters, as the API server appends to generateName. */
export function nameSuffix(random: (below: number) => number = (below) => randomInt(below)): string {
  return Array.from({ length: 5 }, () => SAFE_ALPHABET[random(SAFE_ALPHABET.length)]).join('');
}

function withoutHashLabel(template: PodTemplateSpec): PodTemplateSpec {
  const { [POD_TEMPLATE_HASH]: _, ...labels } = template.metadata?.labels ?? {};
  return { ...template, metadata: { ...(template.metadata ?? {}), labels } } as PodTemplateSpec;
}
