import { createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto';
import type { Clock } from '@ballast/base';
import { calculateJwkThumbprint, errors, exportJWK, type JWK, jwtVerify, SignJWT } from 'jose';
import type { WatchCache } from '../cache/watch-cache.ts';
import { type JsonObject, objectAt, textAt } from '../object/api-object.ts';
import type { Identity } from './identity.ts';

/** An object whose deletion ends a token's life. */
export interface BoundObject {
  readonly kind: 'Pod' | 'Secret' | 'Node';
  readonly name: string;
  readonly uid: string;
}

export interface TokenRequest {
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  readonly audiences: readonly string[];
  readonly lifetimeSeconds: number;
  readonly bound?: BoundObject | undefined;
  /** The node that the bound pod runs on. */
  readonly node?: { readonly name: string; readonly uid: string } | undefined;
}

export interface VerifiedToken {
  readonly identity: Identity;
  readonly audiences: readonly string[];
}

const ALGORITHM = 'ES256';
const MAX_REMEMBERED = 1000;

/** Issues and verifies bound ServiceAccount tokens (JWT, ES256; KEP-1205). The cluster's own audience is the issuer. */
export class ServiceAccountTokens {
  readonly issuer: string;
  readonly #key: KeyObject;
  readonly #publicKey: KeyObject;
  readonly #jwk: JWK;
  readonly #keyId: string;
  readonly #cache: WatchCache;
  readonly #clock: Clock;
  /** Signatures verified before; the objects they are bound to are looked up every time. */
  readonly #verified = new Map<string, { readonly payload: JsonObject; readonly expiresMs: number }>();

  private constructor(parts: {
    issuer: string;
    key: KeyObject;
    publicKey: KeyObject;
    jwk: JWK;
    keyId: string;
    cache: WatchCache;
    clock: Clock;
  }) {
    this.issuer = parts.issuer;
    this.#key = parts.key;
    this.#publicKey = parts.publicKey;
    this.#jwk = parts.jwk;
    this.#keyId = parts.keyId;
    this.#cache = parts.cache;
    this.#clock = parts.clock;
  }

  static async create(options: {
    readonly keyPem: string;
    readonly issuer: string;
    readonly cache: WatchCache;
    readonly clock: Clock;
  }): Promise<ServiceAccountTokens> {
    const key = createPrivateKey(options.keyPem);
    const publicKey = createPublicKey(key);
    const jwk = await exportJWK(publicKey);
    const keyId = await calculateJwkThumbprint(jwk);
    return new ServiceAccountTokens({ ...options, key, publicKey, jwk: { ...jwk, kid: keyId }, keyId });
  }

  /** RFC 7517 key set: what others verify our tokens with. */
  get keySet(): { keys: JWK[] } {
    return { keys: [{ use: 'sig', alg: ALGORITHM, ...this.#jwk }] };
  }

  async issue(request: TokenRequest): Promise<{ token: string; expiresMs: number }> {
    const nowSeconds = Math.floor(this.#clock.nowMs() / 1000);
    const expires = nowSeconds + request.lifetimeSeconds;
    const { bound, node } = request;
    const token = await new SignJWT({
      'kubernetes.io': {
        namespace: request.namespace,
        serviceaccount: { name: request.name, uid: request.uid },
        ...(bound ? { [bound.kind.toLowerCase()]: { name: bound.name, uid: bound.uid } } : {}),
        ...(node ? { node } : {}),
      },
    })
      .setProtectedHeader({ alg: ALGORITHM, kid: this.#keyId })
      .setIssuer(this.issuer)
      .setSubject(`system:serviceaccount:${request.namespace}:${request.name}`)
      .setAudience([...request.audiences])
      .setJti(crypto.randomUUID())
      .setIssuedAt(nowSeconds)
      .setNotBefore(nowSeconds)
      .setExpirationTime(expires)
      .sign(this.#key);
    return { token, expiresMs: expires * 1000 };
  }

  /** The identity a token proves to one of `audiences`, or undefined: wrong signature, expired, other audience, or its objects are gone. */
  async verify(token: string, audiences: readonly string[]): Promise<VerifiedToken | undefined> {
    const payload = await this.#verifiedPayload(token);
    if (!payload) return undefined;
    const offered = [payload.aud ?? []].flat().map(String);
    const matching = offered.filter((audience) => audiences.includes(audience));
    const claims = objectAt(payload, 'kubernetes.io');
    if (matching.length === 0 || !claims) return undefined;
    const namespace = textAt(claims, 'namespace') ?? '';
    const name = textAt(claims, 'serviceaccount', 'name') ?? '';
    const uid = textAt(claims, 'serviceaccount', 'uid') ?? '';
    if (!this.#lives('serviceaccounts', `${namespace}/${name}`, uid)) return undefined;
    const extra: Record<string, string[]> = {};
    for (const [claim, storageKey, extraName] of BOUND_CLAIMS) {
      const bound = objectAt(claims, claim);
      if (!bound) continue;
      const boundName = textAt(bound, 'name') ?? '';
      const boundUid = textAt(bound, 'uid') ?? '';
      const key = claim === 'node' ? boundName : `${namespace}/${boundName}`;
      // A pod's token names its node for information; only the pod itself ends it.
      const decides = claim !== 'node' || !objectAt(claims, 'pod');
      if (decides && !this.#lives(storageKey, key, boundUid)) return undefined;
      extra[`authentication.kubernetes.io/${extraName}-name`] = [boundName];
      extra[`authentication.kubernetes.io/${extraName}-uid`] = [boundUid];
    }
    const jti = textAt(payload, 'jti');
    if (jti) extra['authentication.kubernetes.io/credential-id'] = [`JTI=${jti}`];
    const groups = ['system:serviceaccounts', `system:serviceaccounts:${namespace}`, 'system:authenticated'];
    return {
      identity: { name: `system:serviceaccount:${namespace}:${name}`, uid, groups, extra },
      audiences: matching,
    };
  }

  async #verifiedPayload(token: string): Promise<JsonObject | undefined> {
    const known = this.#verified.get(token);
    const nowMs = this.#clock.nowMs();
    if (known) return known.expiresMs > nowMs ? known.payload : undefined;
    try {
      const { payload } = await jwtVerify(token, this.#publicKey, {
        issuer: this.issuer,
        algorithms: [ALGORITHM],
        currentDate: new Date(nowMs),
      });
      if (this.#verified.size >= MAX_REMEMBERED) this.#verified.clear();
      this.#verified.set(token, { payload, expiresMs: (payload.exp ?? 0) * 1000 });
      return payload;
    } catch (error) {
      if (error instanceof errors.JOSEError) return undefined;
      throw error;
    }
  }

  #lives(storageKey: string, key: string, uid: string): boolean {
    const object = this.#cache.of(storageKey).get(key);
    return object !== undefined && object.parse().metadata.uid === uid;
  }
}

const BOUND_CLAIMS = [
  ['pod', 'pods', 'pod'],
  ['secret', 'secrets', 'secret'],
  ['node', 'nodes', 'node'],
] as const;
