import type { TLSSocket } from 'node:tls';
import { failure } from '../object/failures.ts';
import { identityOfCertificate, showedBadCertificate } from './client-certificate.ts';
import { ANONYMOUS, type Identity } from './identity.ts';
import type { ServiceAccountTokens } from './service-account-tokens.ts';

/** What a request carries to say who it is from. */
export interface Credentials {
  readonly socket: TLSSocket;
  readonly authorization: string | undefined;
}

/** One way to prove an identity. Undefined: this way was not used; throwing: it was used and failed. */
type Authenticator = (
  credentials: Credentials,
  tokens: ServiceAccountTokens,
) => Identity | undefined | Promise<Identity | undefined>;

/** Asked once per connection: a certificate cannot change during it. */
const ofSockets = new WeakMap<TLSSocket, { readonly identity: Identity | undefined; readonly bad: boolean }>();

const clientCertificate: Authenticator = ({ socket, authorization }) => {
  let known = ofSockets.get(socket);
  if (!known) {
    known = { identity: identityOfCertificate(socket), bad: showedBadCertificate(socket) };
    ofSockets.set(socket, known);
  }
  if (known.bad && authorization === undefined) throw failure('Unauthorized', 'Unauthorized');
  return known.identity;
};

const bearerToken: Authenticator = async ({ authorization }, tokens) => {
  const token = /^Bearer +([^ ]+) *$/i.exec(authorization ?? '')?.[1];
  if (token === undefined) return undefined;
  const verified = await tokens.verify(token, [tokens.issuer]);
  if (!verified) throw failure('Unauthorized', 'Unauthorized');
  return verified.identity;
};

/** In the order they are asked; the first identity counts. */
const AUTHENTICATORS: readonly Authenticator[] = [clientCertificate, bearerToken];

/** Who sent the request: system:anonymous when it proves nothing, 401 when what it shows is wrong. */
export async function authenticate(credentials: Credentials, tokens: ServiceAccountTokens): Promise<Identity> {
  for (const authenticator of AUTHENTICATORS) {
    const identity = authenticator(credentials, tokens);
    const known = identity instanceof Promise ? await identity : identity;
    if (known) return known;
  }
  return ANONYMOUS;
}
