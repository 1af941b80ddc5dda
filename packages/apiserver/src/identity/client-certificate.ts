import type { TLSSocket } from 'node:tls';
import type { Identity } from './identity.ts';

/** The identity in a verified client certificate: CN is the user, each O a group. Undefined when there is none, or it does not verify. */
export function identityOfCertificate(socket: TLSSocket): Identity | undefined {
  if (!socket.authorized) return undefined;
  const subject: Record<string, string | string[] | undefined> | undefined = { ...socket.getPeerCertificate().subject };
  const name = [subject.CN].flat()[0];
  if (!name) return undefined;
  const organisations = [subject.O ?? []].flat();
  return { name, groups: [...organisations, 'system:authenticated'] };
}

/** True when the client showed a certificate that this cluster's CA did not sign, or that is not valid now. */
export function showedBadCertificate(socket: TLSSocket): boolean {
  return !socket.authorized && Object.keys(socket.getPeerCertificate() ?? {}).length > 0;
}
