import { createHash, createPublicKey, type KeyObject, X509Certificate } from 'node:crypto';
import { join } from 'node:path';
import { BallastError, type Clock, messageOf } from '@ballast/base';
import { type CertificateUse, issueCertificate, type Subject } from './certificate.ts';
import { ensureKey, generateKey, keyPem, readIfThere, writeSecret } from './key-files.ts';

const DAY_MS = 86_400_000;
/** Lifetimes as RKE2 has them: ten years for an authority, one for everything that it signs. */
export const AUTHORITY_LIFETIME_MS = 3650 * DAY_MS;
export const LEAF_LIFETIME_MS = 365 * DAY_MS;
/** A certificate with less than this left is replaced at the next start. */
export const RENEW_BEFORE_MS = 120 * DAY_MS;
/** Certificates are valid from a little in the past: clocks of joining machines differ. */
const BACKDATE_MS = 3_600_000;

/** A certificate and its private key, both PEM. */
export interface KeyPair {
  readonly certPem: string;
  readonly keyPem: string;
}

/** A certificate authority with its key at hand. */
export class Authority {
  readonly certPem: string;
  readonly #subject: Subject;
  readonly #key: KeyObject;
  readonly #clock: Clock;

  private constructor(certPem: string, subject: Subject, key: KeyObject, clock: Clock) {
    this.certPem = certPem;
    this.#subject = subject;
    this.#key = key;
    this.#clock = clock;
  }

  /** The authority kept as `name.crt` and `name.key` in `dir`, made first when missing. */
  static async open(options: { dir: string; name: string; clock: Clock }): Promise<Authority> {
    const { dir, name, clock } = options;
    const key = await ensureKey(join(dir, `${name}.key`));
    const certPath = join(dir, `${name}.crt`);
    const existing = await readIfThere(certPath);
    if (existing !== undefined) {
      const certificate = parseCertificate(existing, certPath);
      if (!certificate.checkPrivateKey(key)) {
        throw new BallastError(
          'state-damaged',
          `${certPath} does not belong to the key beside it; restore both from a backup`,
        );
      }
      return new Authority(existing, { commonName: commonNameOf(certificate) }, key, clock);
    }
    // The time of making in the name tells two clusters' authorities apart in error messages.
    const subject = { commonName: `ballast-${name}@${Math.floor(clock.nowMs() / 1000)}` };
    const publicKey = createPublicKey(key);
    const certPem = issueCertificate({
      subject,
      publicKey,
      use: { kind: 'authority' },
      notBeforeMs: clock.nowMs() - BACKDATE_MS,
      notAfterMs: clock.nowMs() + AUTHORITY_LIFETIME_MS,
      issuer: { subject, publicKey, privateKey: key },
    });
    await writeSecret(certPath, certPem);
    return new Authority(certPem, subject, key, clock);
  }

  /** Signs a certificate for somebody's public key. */
  issue(options: { subject: Subject; publicKey: KeyObject; use: CertificateUse }): string {
    return issueCertificate({
      ...options,
      notBeforeMs: this.#clock.nowMs() - BACKDATE_MS,
      notAfterMs: this.#clock.nowMs() + LEAF_LIFETIME_MS,
      issuer: { subject: this.#subject, publicKey: createPublicKey(this.#key), privateKey: this.#key },
    });
  }

  /**
   * The pair kept as `name.crt` and `name.key` in `dir`. Issued anew when missing, near its end, signed by another authority, or when
   * names are asked for that it lacks; the key stays.
   */
  async ensurePair(options: { dir: string; name: string; subject: Subject; use: CertificateUse }): Promise<KeyPair> {
    const { dir, name, subject, use } = options;
    const key = await ensureKey(join(dir, `${name}.key`));
    const certPath = join(dir, `${name}.crt`);
    const existing = await readIfThere(certPath);
    if (
      existing !== undefined &&
      isStillGood(existing, { authorityPem: this.certPem, key, use, nowMs: this.#clock.nowMs() })
    ) {
      return { certPem: existing, keyPem: keyPem(key) };
    }
    const certPem = this.issue({ subject, publicKey: createPublicKey(key), use });
    await writeSecret(certPath, certPem);
    return { certPem, keyPem: keyPem(key) };
  }
}

/** Whether a certificate serves for another while: right key and authority, names as asked for, more than RENEW_BEFORE_MS to go. */
export function isStillGood(
  certPem: string,
  wanted: { authorityPem: string; key: KeyObject; use?: CertificateUse; nowMs: number },
): boolean {
  let certificate: X509Certificate;
  try {
    certificate = new X509Certificate(certPem);
  } catch {
    return false;
  }
  const authority = new X509Certificate(wanted.authorityPem);
  if (!certificate.checkIssued(authority) || !certificate.verify(authority.publicKey)) return false;
  if (!certificate.checkPrivateKey(wanted.key)) return false;
  if (certificate.validToDate.getTime() - wanted.nowMs < RENEW_BEFORE_MS) return false;
  if (wanted.use?.kind !== 'server') return true;
  return wanted.use.altNames.every((name) => certificate.checkHost(name) ?? certificate.checkIP(name));
}

/** A short-lived key pair that is never written to disk. */
export function issueInMemory(authority: Authority, subject: Subject, use: CertificateUse): KeyPair {
  const key = generateKey();
  return { certPem: authority.issue({ subject, publicKey: createPublicKey(key), use }), keyPem: keyPem(key) };
}

/** SHA-256 of the PEM text, hex: what the first part of a join token pins. */
export function fingerprintOf(certPem: string): string {
  return createHash('sha256').update(certPem).digest('hex');
}

function parseCertificate(text: string, path: string): X509Certificate {
  try {
    return new X509Certificate(text);
  } catch (error) {
    throw new BallastError('state-damaged', `${path} holds no certificate: ${messageOf(error)}`, { cause: error });
  }
}

function commonNameOf(certificate: X509Certificate): string {
  return /^CN=(.*)$/m.exec(certificate.subject)?.[1] ?? '';
}
