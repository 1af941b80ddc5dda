import { pino } from 'pino';

/** Values logged beside an event. Never secrets. */
export type LogFields = Readonly<Record<string, unknown>>;

export const LOG_LEVELS = ['debug', 'info', 'warn', 'error'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

/** Structured log: a short event in words, and fields. Handed down with `child`, never global. */
export interface Logger extends Readonly<Record<LogLevel, (event: string, fields?: LogFields) => void>> {
  child(fields: LogFields): Logger;
}

/** What cannot be written (the disk is full) waits up to this size, and is then dropped. */
const MAX_BACKLOG_BYTES = 256 * 1024;

/**
 * Writes one JSON line per event to file descriptor `fd` (stderr by default), synchronously: a crash loses nothing. A log that cannot be
 * written never ends the program.
 */
export function createLogger(options: { level?: LogLevel; fd?: number; fields?: LogFields } = {}): Logger {
  const destination = pino.destination({ fd: options.fd ?? 2, sync: true, maxLength: MAX_BACKLOG_BYTES });
  destination.on('error', () => {});
  const root = pino(
    {
      level: options.level ?? 'info',
      base: options.fields ? { ...options.fields } : null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      serializers: { error: serializeError },
    },
    destination,
  );
  return wrap(root);
}

function serializeError(error: unknown): unknown {
  if (!(error instanceof Error)) return error;
  const code: unknown = (error as { code?: unknown }).code;
  const cause = error.cause === undefined ? {} : { cause: serializeError(error.cause) };
  return { message: error.message, ...(code === undefined ? {} : { code }), stack: error.stack, ...cause };
}

function wrap(sink: pino.Logger): Logger {
  const log = (level: LogLevel) => (event: string, fields?: LogFields) =>
    fields ? sink[level](fields, event) : sink[level](event);
  return {
    debug: log('debug'),
    info: log('info'),
    warn: log('warn'),
    error: log('error'),
    child: (fields) => wrap(sink.child(fields)),
  };
}

const nothing = (): void => {};

/** Drops everything; for tests and pure tools. */
export const silentLogger: Logger = {
  debug: nothing,
  info: nothing,
  warn: nothing,
  error: nothing,
  child: () => silentLogger,
};
