import { createHash, timingSafeEqual } from 'node:crypto';
import { BallastError } from '@ballast/base';

/**
 * What lets a machine join: `K10<sha256 of the server authority's PEM>::server:<secret>`, the form that RKE2 and K3s use. The hash lets the
 * joining machine recognise the cluster before it says the secret; a bare secret would be told to whoever answers.
 */
export interface JoinToken {
  readonly authorityFingerprint: string;
  readonly user: string;
  readonly secret: string;
}

const FORM = /^K10([0-9a-f]{64})::([a-z][a-z0-9-]*):(\S+)$/;

export function parseJoinToken(text: string): JoinToken {
  const match = FORM.exec(text.trim());
  if (!match) {
    const hint = /^[^:\s]+$/.test(text.trim())
      ? 'this looks like the bare secret; the whole token is needed, so that the machine can check whom it joins'
      : 'expected K10<64 hex digits>::server:<secret>';
    throw new BallastError('join-token', `not a join token: ${hint}. The server keeps it in <data-dir>/server/token`);
  }
  const [, authorityFingerprint = '', user = '', secret = ''] = match;
  return { authorityFingerprint, user, secret };
}

export function formatJoinToken(token: JoinToken): string {
  return `K10${token.authorityFingerprint}::${token.user}:${token.secret}`;
}

/** Compares two secrets in a time that says nothing about where they differ. */
export function secretEquals(a: string, b: string): boolean {
  const digest = (text: string) => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(a), digest(b));
}
