import { suggestion } from '../corefile/closest-match.ts';
import type { Line } from '../corefile/parser.ts';
import type { Place } from '../corefile/problem.ts';
import type { Argument, Report, ValuesOf, Words } from './argument.ts';

/** A sub-line of a directive: its arguments, what it means, and whether it may be repeated. */
export interface Option<T> {
  readonly args: readonly Argument<unknown>[];
  readonly summary: string;
  readonly repeatable: boolean;
  /** Carries T; the values of the arguments go through it. */
  read(values: readonly unknown[]): T;
}

type Arguments = readonly Argument<unknown>[];

/** An option that may occur once; its value is the list of its arguments' values. */
export function option<const A extends Arguments>(summary: string, ...args: A): Option<ValuesOf<A>> {
  return { args, summary, repeatable: false, read: (values) => values as ValuesOf<A> };
}

/** An option that may be repeated; each occurrence adds one value. */
export function repeated<const A extends Arguments>(
  summary: string,
  ...args: A
): Option<ValuesOf<A>> & { readonly repeatable: true } {
  return { args, summary, repeatable: true, read: (values) => values as ValuesOf<A> };
}

type Options = Readonly<Record<string, Option<unknown>>>;

/** What the options of one directive yield: undefined when absent, a list when repeatable. */
export type OptionValues<O extends Options> = {
  readonly [K in keyof O]: O[K] extends Option<infer T>
    ? O[K] extends { readonly repeatable: true }
      ? readonly T[]
      : T | undefined
    : never;
};

/** One use of a directive in a server block, parsed. */
export interface Occurrence<A extends Arguments, O extends Options> {
  readonly place: Place;
  readonly args: ValuesOf<A>;
  readonly options: OptionValues<O>;
  /** Lines of the body that are data rather than options, word by word; only where `freeLines` allows them. */
  readonly freeLines: readonly (readonly string[])[];
}

export interface DirectiveSyntax<A extends Arguments = Arguments, O extends Options = Options> {
  readonly summary: string;
  readonly args: A;
  readonly options: O;
  /** May stand more than once in a server block. */
  readonly repeatable?: boolean;
  /** Lines of the body that begin like this are data. */
  readonly freeLines?: RegExp;
  /** Rules over several options. */
  readonly check?: (occurrence: Occurrence<A, O>, report: (message: string) => void) => void;
}

/** Declares a directive; from this one value come parsing, error messages and the syntax in the documents. */
export function directive<const A extends Arguments, const O extends Options>(
  syntax: DirectiveSyntax<A, O>,
): DirectiveSyntax<A, O> {
  return syntax;
}

/** Parses all uses of a directive in one block. Returns only those without problems; the problems go to `report`. */
export function parseDirective<A extends Arguments, O extends Options>(
  syntax: DirectiveSyntax<A, O>,
  lines: readonly Line[],
  report: Report,
): Occurrence<A, O>[] {
  const [first, second] = lines;
  if (first && second && !syntax.repeatable) {
    const where = `${first.name.place.file}:${first.name.place.line}`;
    report(second.name.place, `${first.name.text} may stand once in a server block; it is already at ${where}`);
  }
  return lines.flatMap((line) => {
    let clean = true;
    const occurrence = parseOccurrence(syntax, line, (place, message) => {
      clean = false;
      report(place, message);
    });
    return clean ? [occurrence] : [];
  });
}

function parseOccurrence<A extends Arguments, O extends Options>(
  syntax: DirectiveSyntax<A, O>,
  line: Line,
  report: Report,
): Occurrence<A, O> {
  const name = line.name.text;
  let failed = false;
  const note: Report = (place, message) => {
    failed = true;
    report(place, message);
  };
  const args = parseArguments(line, syntax.args, { context: name, report: note });
  const values: Record<string, unknown> = {};
  for (const [key, { repeatable }] of Object.entries(syntax.options)) values[key] = repeatable ? [] : undefined;
  const freeLines: string[][] = [];
  for (const sub of line.body ?? []) {
    const key = sub.name.text;
    const known = Object.hasOwn(syntax.options, key) ? syntax.options[key] : undefined;
    if (known) readOption({ key, sub, known, values, context: `${name}: ${key}`, report: note });
    else if (syntax.freeLines?.test(key)) freeLines.push([key, ...sub.args.map((token) => token.text)]);
    else note(sub.name.place, `${name}: unknown option "${key}"; ${suggestion(key, Object.keys(syntax.options))}`);
  }
  // The tables above hold what the declared arguments and options produced, in the shape of A and O.
  const occurrence = { place: line.name.place, args, options: values, freeLines } as unknown as Occurrence<A, O>;
  if (!failed) syntax.check?.(occurrence, (message) => report(line.name.place, `${name}: ${message}`));
  return occurrence;
}

function readOption(at: {
  key: string;
  sub: Line;
  known: Option<unknown>;
  values: Record<string, unknown>;
  context: string;
  report: Report;
}): void {
  const { sub, known, context, report } = at;
  const before = at.values[at.key];
  const value = known.read(parseArguments(sub, known.args, { context, report }));
  if (sub.body) report(sub.name.place, `${context} takes no "{ }"`);
  if (Array.isArray(before) && known.repeatable) before.push(value);
  else if (before === undefined) at.values[at.key] = value;
  else report(sub.name.place, `${context} is given twice; remove one`);
}

function parseArguments(line: Line, args: Arguments, at: { context: string; report: Report }): unknown[] {
  const words: Words = { tokens: line.args, place: line.name.place, at: 0, ...at };
  const values = args.map((argument) => argument.take(words));
  const extra = line.args[words.at];
  if (extra) {
    const usage = args.length === 0 ? 'takes no arguments' : `takes ${args.map((arg) => arg.usage).join(' ')}`;
    at.report(extra.place, `${at.context} ${usage}; "${extra.text}" is too many`);
  }
  return values;
}

/** The Syntax section of a directive's document, made from its declaration. */
export function documentSyntax(name: string, syntax: DirectiveSyntax): string {
  const usage = (word: string, args: Arguments) => [word, ...args.map((arg) => arg.usage)].join(' ');
  const options = Object.entries(syntax.options);
  if (options.length === 0) return usage(name, syntax.args);
  const body = options.map(([key, { args }]) => `    ${usage(key, args)}`);
  return [`${usage(name, syntax.args)} {`, ...body, '}'].join('\n');
}
