import { BallastError } from '@ballast/base';
import type { Status } from './meta.ts';

/** The machine-readable reasons of meta/v1 Status, and the HTTP code that each goes with. */
export const STATUS_CODES = {
  BadRequest: 400,
  Unauthorized: 401,
  Forbidden: 403,
  NotFound: 404,
  MethodNotAllowed: 405,
  NotAcceptable: 406,
  AlreadyExists: 409,
  Conflict: 409,
  Gone: 410,
  Expired: 410,
  RequestEntityTooLarge: 413,
  UnsupportedMediaType: 415,
  Invalid: 422,
  TooManyRequests: 429,
  InternalError: 500,
  ServiceUnavailable: 503,
  ServerTimeout: 500,
  Timeout: 504,
} as const;

export type StatusReason = keyof typeof STATUS_CODES;

/** A failure of the Kubernetes API. `code` is the Status reason, or 'unreachable' when no server answered. */
export class ApiError extends BallastError<StatusReason | 'unreachable'> {
  readonly status: Status | undefined;

  constructor(code: StatusReason | 'unreachable', message: string, options: { status?: Status; cause?: unknown } = {}) {
    super(code, message, options.cause === undefined ? {} : { cause: options.cause });
    this.name = 'ApiError';
    this.status = options.status;
  }

  /** The error that a Status object stands for. */
  static fromStatus(status: Status): ApiError {
    const known = status.reason !== undefined && status.reason in STATUS_CODES;
    const byCode = Object.entries(STATUS_CODES).find(([, code]) => code === status.code)?.[0];
    const reason = (known ? status.reason : (byCode ?? 'InternalError')) as StatusReason;
    return new ApiError(reason, status.message ?? reason, { status });
  }
}

/** True when `error` is an ApiError with one of these codes. */
export function isApiError(error: unknown, ...codes: (StatusReason | 'unreachable')[]): error is ApiError {
  return error instanceof ApiError && (codes.length === 0 || codes.includes(error.code));
}
