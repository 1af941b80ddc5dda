/**
 * The one error class of Ballast. Callers branch on `code` (a stable, kebab-case word); people read `message`, which says where,
 * what and what to do. Expected outcomes are return values, not errors.
 */
export class BallastError<Code extends string = string> extends Error {
  readonly code: Code;

  constructor(code: Code, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.name = 'BallastError';
    this.code = code;
  }
}

/** True when `error` is a BallastError with this code. */
export function hasCode<Code extends string>(error: unknown, code: Code): error is BallastError<Code> {
  return error instanceof BallastError && error.code === code;
}

/** The errno name ('ENOENT', 'EADDRINUSE', ...) of an error raised by Node, or undefined. */
export function errnoOf(error: unknown): string | undefined {
  const code = error instanceof Error ? (error as NodeJS.ErrnoException).code : undefined;
  return typeof code === 'string' && /^E[A-Z0-9]+$/.test(code) ? code : undefined;
}

/** What to show a person for anything that was thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
