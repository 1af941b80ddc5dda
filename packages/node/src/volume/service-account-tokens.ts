import { BallastError, type Clock } from '@ballast/base';
import type { KubeClient, Pod } from '@ballast/kube';
import type { TokenWish } from './payload.ts';

interface Token {
  readonly value: string;
  readonly refreshAtMs: number;
}

const DAY_MS = 24 * 3600 * 1000;

/** Tokens of pods' service accounts, renewed when 80 % of their life or a day has passed, as upstream. */
export class ServiceAccountTokens {
  readonly #client: KubeClient;
  readonly #clock: Clock;
  readonly #tokens = new Map<string, Token>();

  constructor(options: { client: KubeClient; clock: Clock }) {
    this.#client = options.client;
    this.#clock = options.clock;
  }

  async get(pod: Pod, wish: TokenWish): Promise<string> {
    const { namespace = '', name, uid = '' } = pod.metadata;
    const key = JSON.stringify([uid, wish.audience, wish.expirationSeconds]);
    const known = this.#tokens.get(key);
    if (known && known.refreshAtMs > this.#clock.nowMs()) return known.value;
    const account = pod.spec?.serviceAccountName ?? 'default';
    const answer = (await this.#client.post(`/api/v1/namespaces/${namespace}/serviceaccounts/${account}/token`, {
      apiVersion: 'authentication.k8s.io/v1',
      kind: 'TokenRequest',
      spec: {
        audiences: wish.audience ? [wish.audience] : [],
        expirationSeconds: wish.expirationSeconds,
        boundObjectRef: { apiVersion: 'v1', kind: 'Pod', name, uid },
      },
    })) as { status?: { token?: string; expirationTimestamp?: string } };
    const value = answer.status?.token;
    if (!value) throw new BallastError('token-missing', `no token came for service account ${namespace}/${account}`);
    const nowMs = this.#clock.nowMs();
    const expiresAtMs = Date.parse(answer.status?.expirationTimestamp ?? '') || nowMs + wish.expirationSeconds * 1000;
    this.#tokens.set(key, { value, refreshAtMs: nowMs + Math.min(DAY_MS, (expiresAtMs - nowMs) * 0.8) });
    return value;
  }

  forget(uid: string): void {
    const start = `[${JSON.stringify(uid)},`;
    for (const key of this.#tokens.keys()) if (key.startsWith(start)) this.#tokens.delete(key);
  }
}
