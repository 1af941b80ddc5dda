import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { type Logger, messageOf } from '@ballast/base';
import { ApiError, type Status } from '@ballast/kube';
import { stringify as formatYaml } from 'yaml';
import { failure, internalError } from '../object/failures.ts';
import { type Exchange, headerOf } from './exchange.ts';

/** Answers above this are compressed for clients that accept it, as upstream. */
const GZIP_FROM_BYTES = 128 * 1024;
const gzipAsync = promisify(gzip);

export interface Answer {
  readonly code: number;
  readonly body: Buffer;
  readonly contentType?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

export async function send(exchange: Exchange, answer: Answer): Promise<void> {
  const { response, request } = exchange;
  if (response.destroyed || response.headersSent) return;
  const headers: Record<string, string | string[] | number> = {
    'content-type': answer.contentType ?? 'application/json',
    'cache-control': 'no-cache, private',
    ...answer.headers,
  };
  if (exchange.warnings.length > 0) headers.warning = warningHeaders(exchange.warnings);
  let body = answer.body;
  if (body.length > GZIP_FROM_BYTES && /\bgzip\b/.test(headerOf(request, 'accept-encoding') ?? '')) {
    body = await gzipAsync(body, { level: 1 });
    headers['content-encoding'] = 'gzip';
    headers.vary = 'Accept-Encoding';
  }
  headers['content-length'] = body.length;
  writeHead(exchange, answer.code, headers);
  response.end(body);
}

/** The compat layers of HTTP/1.1 and HTTP/2 differ in overloads only. */
export function writeHead(exchange: Exchange, code: number, headers: Record<string, string | string[] | number>): void {
  const { response } = exchange;
  for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
  response.statusCode = code;
}

export function sendJson(
  exchange: Exchange,
  code: number,
  value: unknown,
  headers?: Readonly<Record<string, string>>,
): Promise<void> {
  return send(exchange, { code, body: Buffer.from(JSON.stringify(value)), ...(headers ? { headers } : {}) });
}

/** JSON bytes as YAML, for clients that ask for it. */
export async function sendYaml(exchange: Exchange, code: number, json: Buffer): Promise<void> {
  const body = Buffer.from(formatYaml(JSON.parse(json.toString('utf8'))));
  await send(exchange, { code, body, contentType: 'application/yaml' });
}

/** The Status object that stands for whatever was thrown; what is not an ApiError is a bug and is logged. */
export function statusOf(error: unknown, logger: Logger): Status {
  if (error instanceof ApiError) {
    const { status } = error;
    if (status) return status;
    return failure(error.code === 'unreachable' ? 'ServiceUnavailable' : error.code, error.message).status ?? FALLBACK;
  }
  logger.error('request failed', { error });
  return internalError(messageOf(error)).status ?? FALLBACK;
}

const FALLBACK: Status = { kind: 'Status', apiVersion: 'v1', status: 'Failure', reason: 'InternalError', code: 500 };

export function sendError(exchange: Exchange, error: unknown, logger: Logger): Promise<void> {
  const status = statusOf(error, logger);
  const retry = status.details?.retryAfterSeconds;
  return sendJson(exchange, status.code ?? 500, status, retry === undefined ? {} : { 'retry-after': String(retry) });
}

/** Longest text of one warning when there are too many, and the most of all together, as upstream: clients limit the size of headers. */
const WARNING_CHARACTERS = 256;
const ALL_WARNINGS_CHARACTERS = 4096;

function warningHeaders(texts: readonly string[]): string[] {
  const different = [...new Set(texts)].map(warningHeader);
  if (different.reduce((sum, text) => sum + text.length, 0) <= ALL_WARNINGS_CHARACTERS) return different;
  let left = ALL_WARNINGS_CHARACTERS;
  const kept: string[] = [];
  for (const text of new Set(texts)) {
    const header = warningHeader(text.slice(0, WARNING_CHARACTERS));
    left -= header.length;
    if (left < 0) break;
    kept.push(header);
  }
  return kept;
}

/** RFC 7234 section 5.5: code 299, no agent, quoted text in ASCII. */
function warningHeader(text: string): string {
  return `299 - "${text.replace(/[\\"]/g, '\\$&').replace(/[^\x20-\x7e]/g, '?')}"`;
}
