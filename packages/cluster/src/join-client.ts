import { createPublicKey } from 'node:crypto';
import type { RequestOptions } from 'node:https';
import { request } from 'node:https';
import { join } from 'node:path';
import { BallastError, type Clock, errnoOf, hasCode, type Logger, messageOf } from '@ballast/base';
import { fingerprintOf, isStillGood } from './authority.ts';
import { AUTHORITIES_PATH, JOIN_PATH, type JoinAnswer, type JoinRequest, joinAnswer } from './join-protocol.ts';
import { parseJoinToken } from './join-token.ts';
import { ensureKey, readIfThere, writeSecret } from './key-files.ts';
import type { Layout } from './layout.ts';
import { ownNodePassword } from './node-passwords.ts';
import { servingUse } from './server-pki.ts';

export interface JoinOptions {
  /** https://HOST:9345 */
  readonly server: string;
  readonly token: string;
  readonly nodeName: string;
  readonly nodeIp: string;
  readonly layout: Layout;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly signal?: AbortSignal;
}

const NAMES = ['serving', 'node', 'dns'] as const;

/**
 * Makes this machine a member of the cluster, and returns what it needs to know. Joining again is harmless: the same keys get fresh
 * certificates. A server that does not answer is waited for, unless this machine joined before and its certificates are good: then it
 * starts without.
 */
export async function joinCluster(options: JoinOptions): Promise<JoinAnswer> {
  const { layout, clock, logger, signal } = options;
  const token = parseJoinToken(options.token);
  const body = await ownRequest(options);
  const kept = await keptAnswer(options);
  let complained = false;
  for (let delayMs = 100; ; delayMs = Math.min(delayMs * 1.5, 5000)) {
    try {
      const authorityPem = await fetchAuthority(options.server, token.authorityFingerprint);
      const answer = await askToJoin({ server: options.server, authorityPem, secret: token.secret, body });
      for (const name of NAMES) await writeSecret(join(layout.agentTls, `${name}.crt`), answer.certificates[name]);
      await writeSecret(join(layout.agentTls, 'server-ca.crt'), answer.serverCaPem);
      await writeSecret(join(layout.agentTls, 'client-ca.crt'), answer.clientCaPem);
      await writeSecret(layout.joined, `${JSON.stringify({ ...answer, certificates: {} })}\n`);
      return answer;
    } catch (error) {
      if (!hasCode(error, 'join-unreachable')) throw error;
      if (kept) {
        logger.warn('server does not answer; starting with what was learnt at the last join', {
          server: options.server,
        });
        return kept;
      }
      if (!complained) logger.info('waiting for the server to join', { server: options.server, why: error.message });
      complained = true;
      await clock.sleep(delayMs, signal);
    }
  }
}

async function ownRequest(options: JoinOptions): Promise<JoinRequest> {
  const { layout, nodeName, nodeIp } = options;
  const nodePassword = await ownNodePassword(layout.nodePassword);
  const publicKey = async (name: (typeof NAMES)[number]) =>
    createPublicKey(await ensureKey(join(layout.agentTls, `${name}.key`)))
      .export({ type: 'spki', format: 'pem' })
      .toString();
  const keys = { serving: await publicKey('serving'), node: await publicKey('node'), dns: await publicKey('dns') };
  return { nodeName, nodeIp, nodePassword, keys };
}

/** The answer of an earlier join, when all its certificates are still good for this name and address. */
async function keptAnswer(options: JoinOptions): Promise<JoinAnswer | undefined> {
  const { layout, clock } = options;
  const text = await readIfThere(layout.joined);
  if (text === undefined) return undefined;
  const certificates: Record<string, string> = {};
  let value: object;
  try {
    value = JSON.parse(text) as object;
  } catch {
    return undefined;
  }
  for (const name of NAMES) certificates[name] = (await readIfThere(join(layout.agentTls, `${name}.crt`))) ?? '';
  const answer = joinAnswer.safeParse({ ...value, certificates });
  if (!answer.success) return undefined;
  const { serverCaPem, clientCaPem } = answer.data;
  for (const name of NAMES) {
    const good = isStillGood(certificates[name] ?? '', {
      authorityPem: name === 'serving' ? serverCaPem : clientCaPem,
      key: await ensureKey(join(layout.agentTls, `${name}.key`)),
      nowMs: clock.nowMs(),
      ...(name === 'serving' ? { use: servingUse(options) } : {}),
    });
    if (!good) return undefined;
  }
  return answer.data;
}

/** Fetches the authority's certificate from whoever answers, and believes it only if the token pins it. */
async function fetchAuthority(server: string, fingerprint: string): Promise<string> {
  const { status, body } = await call(server, { path: AUTHORITIES_PATH, method: 'GET', rejectUnauthorized: false });
  if (status !== 200 || fingerprintOf(body) !== fingerprint) {
    throw new BallastError(
      'join-wrong-cluster',
      `${server} is not the cluster that the token belongs to: its authority has another fingerprint. Check server and token; nothing secret was sent`,
    );
  }
  return body;
}

async function askToJoin(options: {
  server: string;
  authorityPem: string;
  secret: string;
  body: JoinRequest;
}): Promise<JoinAnswer> {
  const { status, body } = await call(
    options.server,
    {
      path: JOIN_PATH,
      method: 'POST',
      ca: options.authorityPem,
      headers: { authorization: `Bearer ${options.secret}`, 'content-type': 'application/json' },
    },
    JSON.stringify(options.body),
  );
  if (status !== 200) {
    const message = /"message":"((?:[^"\\]|\\.)*)"/.exec(body)?.[1] ?? body;
    throw new BallastError('join-refused', `${options.server} refuses this machine (${status}): ${message}`);
  }
  return joinAnswer.parse(JSON.parse(body));
}

function call(server: string, options: RequestOptions, body?: string): Promise<{ status: number; body: string }> {
  const url = new URL(server);
  return new Promise((resolve, reject) => {
    const unreachable = (error: unknown) =>
      reject(
        new BallastError('join-unreachable', `${server} does not answer: ${errnoOf(error) ?? messageOf(error)}`, {
          cause: error,
        }),
      );
    const sent = request(
      { host: url.hostname, port: url.port || 9345, timeout: 5000, agent: false, ...options },
      (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('error', unreachable);
        response.on('end', () =>
          resolve({ status: response.statusCode ?? 0, body: Buffer.concat(chunks).toString('utf8') }),
        );
      },
    );
    sent.on('timeout', () => sent.destroy(new Error('timeout')));
    sent.on('error', unreachable);
    sent.end(body);
  });
}
