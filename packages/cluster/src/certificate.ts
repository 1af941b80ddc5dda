import { createHash, createPublicKey, type KeyObject, randomBytes, sign } from 'node:crypto';
import { BallastError, ipToBytes, parseIp } from '@ballast/base';
import {
  bitString,
  boolean,
  integer,
  octetString,
  oid,
  pem,
  sequence,
  setOf,
  smallInteger,
  tagged,
  time,
  utf8String,
} from './der.ts';

/** Who a certificate is for: user name and groups of the Kubernetes API. */
export interface Subject {
  readonly commonName: string;
  readonly organizations?: readonly string[];
}

export type CertificateUse =
  | { readonly kind: 'authority' }
  | { readonly kind: 'server'; readonly altNames: readonly string[] }
  | { readonly kind: 'client' };

export interface CertificateRequest {
  readonly subject: Subject;
  readonly publicKey: KeyObject;
  readonly use: CertificateUse;
  /** Milliseconds since 1970. */
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
  /** Who signs: the issuer's name and key. A self-signed authority names itself. */
  readonly issuer: { readonly subject: Subject; readonly publicKey: KeyObject; readonly privateKey: KeyObject };
}

const OID = {
  ecdsaWithSha256: '1.2.840.10045.4.3.2',
  commonName: '2.5.4.3',
  organization: '2.5.4.10',
  subjectKeyIdentifier: '2.5.29.14',
  keyUsage: '2.5.29.15',
  subjectAltName: '2.5.29.17',
  basicConstraints: '2.5.29.19',
  authorityKeyIdentifier: '2.5.29.35',
  extendedKeyUsage: '2.5.29.37',
  serverAuth: '1.3.6.1.5.5.7.3.1',
  clientAuth: '1.3.6.1.5.5.7.3.2',
} as const;

/** Bits of KeyUsage (RFC 5280 4.2.1.3), counted from the left. */
const KEY_USAGE = { digitalSignature: 0, keyCertSign: 5, crlSign: 6 } as const;

/** Composes and signs an X.509 v3 certificate (RFC 5280) with ECDSA P-256 and SHA-256; PEM. */
export function issueCertificate(request: CertificateRequest): string {
  const algorithm = sequence(oid(OID.ecdsaWithSha256));
  const body = sequence(
    tagged(0, true, smallInteger(2)),
    serialNumber(),
    algorithm,
    distinguishedName(request.issuer.subject),
    sequence(time(request.notBeforeMs), time(request.notAfterMs)),
    distinguishedName(request.subject),
    spki(request.publicKey),
    tagged(3, true, sequence(...extensions(request))),
  );
  const signature = sign('sha256', body, request.issuer.privateKey);
  return pem('CERTIFICATE', sequence(body, algorithm, bitString(signature)));
}

/** 128 random bits, positive and never zero (RFC 5280 4.1.2.2 allows 20 bytes). */
function serialNumber(): Buffer {
  const bytes = randomBytes(16);
  bytes[0] = ((bytes[0] ?? 0) & 0x7f) | 0x40;
  return integer(bytes);
}

function distinguishedName(subject: Subject): Buffer {
  const attribute = (type: string, value: string) => sequence(oid(type), utf8String(value));
  // Each group is an attribute of its own in a relative name of its own, the order in which Go prints them.
  const groups = (subject.organizations ?? []).map((name) => setOf(attribute(OID.organization, name)));
  return sequence(...groups, setOf(attribute(OID.commonName, subject.commonName)));
}

function extensions(request: CertificateRequest): Buffer[] {
  const { use, publicKey, issuer } = request;
  const extension = (id: string, critical: boolean, value: Uint8Array) =>
    sequence(oid(id), ...(critical ? [boolean(true)] : []), octetString(value));
  const isAuthority = use.kind === 'authority';
  const usage = isAuthority
    ? keyUsage(KEY_USAGE.digitalSignature, KEY_USAGE.keyCertSign, KEY_USAGE.crlSign)
    : keyUsage(KEY_USAGE.digitalSignature);
  const list = [
    extension(OID.keyUsage, true, usage),
    extension(OID.basicConstraints, true, isAuthority ? sequence(boolean(true)) : sequence()),
    extension(OID.subjectKeyIdentifier, false, octetString(keyIdentifier(publicKey))),
    extension(OID.authorityKeyIdentifier, false, sequence(tagged(0, false, keyIdentifier(issuer.publicKey)))),
  ];
  if (use.kind === 'server') {
    list.push(extension(OID.extendedKeyUsage, false, sequence(oid(OID.serverAuth))));
    list.push(extension(OID.subjectAltName, false, sequence(...use.altNames.map(altName))));
  }
  if (use.kind === 'client') list.push(extension(OID.extendedKeyUsage, false, sequence(oid(OID.clientAuth))));
  return list;
}

function keyUsage(...bits: readonly number[]): Buffer {
  let byte = 0;
  for (const bit of bits) byte |= 0x80 >> bit;
  let unused = 0;
  while (((byte >> unused) & 1) === 0) unused++;
  return bitString(Buffer.from([byte]), unused);
}

/** GeneralName: iPAddress [7] for an address, dNSName [2] for anything else. */
function altName(name: string): Buffer {
  const ip = parseIp(name);
  if (ip) return tagged(7, false, ipToBytes(ip));
  if (!/^(\*\.)?[A-Za-z0-9_]([A-Za-z0-9_.-]{0,252})$/.test(name)) {
    throw new BallastError(
      'certificate-name',
      `"${name}" is neither an address nor a DNS name, so no certificate can carry it`,
    );
  }
  return tagged(2, false, Buffer.from(name, 'ascii'));
}

function spki(key: KeyObject): Buffer {
  return (key.type === 'private' ? createPublicKey(key) : key).export({ type: 'spki', format: 'der' });
}

/** RFC 5280 4.2.1.2, method 1, but over the whole SubjectPublicKeyInfo and cut to 20 bytes of SHA-256 (RFC 7093 method 4). */
function keyIdentifier(key: KeyObject): Buffer {
  return createHash('sha256').update(spki(key)).digest().subarray(0, 20);
}
