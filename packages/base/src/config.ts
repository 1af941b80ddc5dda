import { readFile } from 'node:fs/promises';
import { LineCounter, parseDocument } from 'yaml';
import type { z } from 'zod';
import { BallastError, errnoOf, messageOf } from './errors.ts';

/** One thing that is wrong in a configuration. `line` counts from 1. */
export interface ConfigProblem {
  readonly path: string;
  readonly message: string;
  readonly line?: number;
}

/** All problems of one file at once; the message lists them as `file:line: path: what`. */
export class ConfigError extends BallastError<'config-invalid' | 'config-unreadable'> {
  readonly problems: readonly ConfigProblem[];

  constructor(
    source: string,
    problems: readonly ConfigProblem[],
    code: 'config-invalid' | 'config-unreadable' = 'config-invalid',
  ) {
    const lines = problems.map(
      ({ line, path, message }) => `${source}${line ? `:${line}` : ''}: ${path ? `${path}: ` : ''}${message}`,
    );
    super(code, lines.join('\n'));
    this.problems = problems;
  }
}

/** Parses YAML text against a strict zod schema; throws ConfigError with every problem and its line. */
export function parseConfig<Schema extends z.ZodType>(schema: Schema, text: string, source: string): z.output<Schema> {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  if (document.errors.length > 0) {
    throw new ConfigError(
      source,
      document.errors.map((error) => ({ path: '', message: error.message, line: lines.linePos(error.pos[0]).line })),
    );
  }
  let value: unknown;
  try {
    value = document.toJS();
  } catch (error) {
    // An alias that refers to nothing, or aliases that multiply beyond measure, show only here.
    throw new ConfigError(source, [{ path: '', message: messageOf(error) }]);
  }
  const result = schema.safeParse(value ?? {});
  if (result.success) return result.data;
  const problems = result.error.issues.map((issue): ConfigProblem => {
    const unknown = issue.code === 'unrecognized_keys' ? issue.keys[0] : undefined;
    const path = unknown === undefined ? issue.path : [...issue.path, unknown];
    const node = document.getIn(path, true) as { range?: [number, number, number] } | undefined;
    const line = node?.range ? { line: lines.linePos(node.range[0]).line } : {};
    return { path: path.join('.'), message: issue.message, ...line };
  });
  throw new ConfigError(source, problems);
}

/** Reads and parses a YAML file; a missing file is an error that names it. */
export async function loadConfig<Schema extends z.ZodType>(schema: Schema, path: string): Promise<z.output<Schema>> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    const why = errnoOf(error) === 'ENOENT' ? 'does not exist' : `cannot be read (${errnoOf(error) ?? String(error)})`;
    throw new ConfigError(path, [{ path: '', message: why }], 'config-unreadable');
  }
  return parseConfig(schema, text, path);
}
