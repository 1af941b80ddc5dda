import { dirname, isAbsolute, join } from 'node:path';
import { type Environment, substituteEnvironment } from './environment.ts';
import { type Token, tokenize } from './lexer.ts';
import type { CorefileProblem, Place } from './problem.ts';
import type { CorefileSource } from './source.ts';

/** A line of a Corefile: its first word, the others, and the lines between braces behind it. */
export interface Line {
  readonly name: Token;
  readonly args: readonly Token[];
  readonly body?: readonly Line[];
}

/** `keys { directives }`. */
export interface Block {
  readonly keys: readonly Token[];
  readonly directives: readonly Line[];
}

export interface ParsedCorefile {
  readonly blocks: readonly Block[];
  readonly problems: readonly CorefileProblem[];
  /** Problems that do not stop the server, such as an import pattern that matches nothing. */
  readonly warnings: readonly CorefileProblem[];
}

/** Expansions per parse, so that no chain of imports runs forever. */
const MAX_EXPANSIONS = 10_000;
const MAX_TOKENS = 1_000_000;
/** Braces in braces: far more than any directive has, far less than the stack takes. */
const MAX_DEPTH = 100;

/** Stops the parse at an error after which the rest of the text would only be misread. */
class Unreadable extends Error {}

/** Parses Corefile text into blocks, with imports, snippets and environment references resolved. Never throws. */
export function parseCorefile(
  text: string,
  options: { file: string; environment?: Environment; source: CorefileSource },
): ParsedCorefile {
  const parser = new Parser(tokenize(text, options.file), options.environment ?? {}, options.source);
  try {
    return parser.run(options.file);
  } catch (error) {
    if (!(error instanceof Unreadable)) throw error;
    return parser.result();
  }
}

class Parser {
  readonly #environment: Environment;
  readonly #source: CorefileSource;
  readonly #tokens: Token[];
  readonly #snippets = new Map<string, readonly Token[]>();
  readonly #blocks: Block[] = [];
  readonly #problems: CorefileProblem[] = [];
  readonly #warnings: CorefileProblem[] = [];
  #at = 0;
  #expansions = 0;
  #depth = 0;

  constructor(tokens: Token[], environment: Environment, source: CorefileSource) {
    this.#tokens = tokens;
    this.#environment = environment;
    this.#source = source;
  }

  run(file: string): ParsedCorefile {
    if (this.#tokens.length === 0) {
      this.#problems.push({
        place: { file, line: 1 },
        message: 'the Corefile is empty; write at least one server block',
      });
    }
    while (this.#at < this.#tokens.length) this.#parseBlock();
    return this.result();
  }

  result(): ParsedCorefile {
    return { blocks: this.#blocks, problems: this.#problems, warnings: this.#warnings };
  }

  #parseBlock(): void {
    const first = this.#tokens[this.#at];
    if (!first) return;
    if (first.text === 'import') {
      this.#import();
      return;
    }
    if (first.text === '}') this.#fail(first.place, 'stray "}": no block is open here');
    const { keys, braced } = this.#parseKeys();
    const [only] = keys;
    if (!only) this.#fail(first.place, 'a server block needs a zone before its "{", for example ".:53 {"');
    const snippet = keys.length === 1 ? /^\((.*)\)$/.exec(only.text)?.[1] : undefined;
    if (snippet !== undefined) this.#defineSnippet(only, snippet, braced);
    else this.#blocks.push({ keys, directives: this.#parseLines(braced ? only.place : undefined) });
  }

  /** Keys run to "{" or the end of the line; a trailing comma lets them go on on the next line. */
  #parseKeys(): { keys: Token[]; braced: boolean } {
    const keys: Token[] = [];
    let expectsMore = false;
    for (;;) {
      const token = this.#tokens[this.#at];
      const last = this.#tokens[this.#at - 1];
      if (!token) {
        if (expectsMore && last) this.#fail(last.place, 'a zone must follow the comma');
        return { keys, braced: false };
      }
      if (keys.length > 0 && !expectsMore && this.#isFirstOnLine()) return { keys, braced: false };
      if (token.text === 'import' && this.#isFirstOnLine()) {
        this.#import();
        continue;
      }
      this.#at++;
      if (token.text === '{') {
        if (expectsMore) this.#fail(token.place, 'a zone must follow the comma, not "{"');
        return { keys, braced: true };
      }
      const text = this.#substitute(token);
      expectsMore = text.endsWith(',');
      for (const part of text.split(',')) if (part !== '') keys.push({ ...token, text: part });
    }
  }

  #defineSnippet(key: Token, name: string, braced: boolean): void {
    if (!braced) this.#fail(key.place, `snippet "${name}" needs a body: (${name}) { ... }`);
    const body: Token[] = [];
    for (let depth = 1; ; this.#at++) {
      const token = this.#tokens[this.#at];
      if (!token) this.#fail(key.place, `the "{" of snippet "${name}" is never closed`);
      if (token.text === '{') depth++;
      if (token.text === '}' && --depth === 0) break;
      body.push(token);
    }
    this.#at++;
    const importsItself = body.some((token, i) => token.text === 'import' && body[i + 1]?.text === name);
    if (name === '') this.#report(key.place, 'a snippet needs a name between its parentheses');
    else if (this.#snippets.has(name)) this.#report(key.place, `snippet "${name}" is defined twice; rename one`);
    else if (importsItself) this.#report(key.place, `snippet "${name}" imports itself`);
    else this.#snippets.set(name, body);
  }

  /** Lines up to the closing brace, or to the end of the file when no brace was opened. */
  #parseLines(opened: Place | undefined): Line[] {
    if (opened && ++this.#depth > MAX_DEPTH) this.#fail(opened, `"{" is nested more than ${MAX_DEPTH} deep`);
    const lines: Line[] = [];
    for (;;) {
      const token = this.#tokens[this.#at];
      if (!token) {
        if (opened) this.#fail(opened, 'this block\'s "{" is never closed; add "}" on a line of its own');
        return lines;
      }
      if (token.text === '}') {
        if (!opened) this.#fail(token.place, 'stray "}": no block is open here');
        this.#at++;
        this.#depth--;
        return lines;
      }
      if (token.text === 'import') this.#import();
      else lines.push(this.#parseLine());
    }
  }

  #parseLine(): Line {
    const name = this.#take();
    const args: Token[] = [];
    if (name.text === '{') this.#fail(name.place, 'a "{" must stand at the end of the line it belongs to');
    for (;;) {
      const token = this.#tokens[this.#at];
      // The "}" of `{ health }` on one line closes the block around it.
      if (!token || this.#isFirstOnLine() || token.text === '}') break;
      this.#at++;
      if (token.text === '{') return { name, args, body: this.#parseLines(name.place) };
      args.push({ ...token, text: this.#substitute(token) });
    }
    return { name, args };
  }

  #take(): Token {
    const token = this.#tokens[this.#at++];
    if (!token) throw new Unreadable();
    return { ...token, text: this.#substitute(token) };
  }

  /** Puts what an `import` names in its place: a snippet, a file, or the files that match a pattern. */
  #import(): void {
    const at = this.#at;
    const keyword = this.#take();
    const argument = this.#tokens[this.#at];
    if (!argument || this.#isFirstOnLine()) {
      this.#report(keyword.place, 'import needs the name of a snippet or file');
      return;
    }
    const pattern = this.#substitute(argument);
    this.#at++;
    while (this.#tokens[this.#at] && !this.#isFirstOnLine() && this.#tokens[this.#at]?.text !== '}') {
      this.#report(keyword.place, `import takes one argument; "${this.#tokens[this.#at]?.text}" is too many`);
      this.#at++;
    }
    if (++this.#expansions > MAX_EXPANSIONS || this.#tokens.length > MAX_TOKENS) {
      this.#fail(keyword.place, `import "${pattern}" never comes to an end: files or snippets import each other`);
    }
    const imported = this.#snippets.get(pattern) ?? this.#importFiles(keyword.place, pattern);
    this.#tokens.splice(at, this.#at - at, ...imported);
    this.#at = at;
  }

  #importFiles(place: Place, pattern: string): Token[] {
    if (pattern === '') return this.#report(place, 'import needs the name of a snippet or file');
    const wildcards = pattern.replace(/[^*?]/g, '');
    if (/[[\]]/.test(pattern) || wildcards.split('*').length > 2 || wildcards.split('?').length > 2) {
      return this.#report(place, `import "${pattern}": use at most one * and one ?, and no [ ]`);
    }
    const path = isAbsolute(pattern) ? pattern : join(dirname(place.file), pattern);
    if (wildcards !== '') {
      const files = this.#source.glob(path);
      if (files.length === 0) this.#warnings.push({ place, message: `import "${pattern}" matches no file` });
      return files.flatMap((file) => tokenize(this.#source.readText(file) ?? '', file));
    }
    if (this.#source.isDirectory(path)) {
      return this.#report(place, `import "${pattern}" is a directory; write "${join(pattern, '*')}" for its files`);
    }
    const text = this.#source.readText(path);
    if (text !== undefined) return tokenize(text, path);
    const snippets = [...this.#snippets.keys()];
    const known =
      snippets.length === 0 ? 'no snippet is defined above' : `snippets defined above: ${snippets.join(', ')}`;
    return this.#report(place, `import "${pattern}": there is no such file or snippet (${known})`);
  }

  /** True when the token at the cursor starts a line, also where an import joined two files. */
  #isFirstOnLine(): boolean {
    const previous = this.#tokens[this.#at - 1];
    const token = this.#tokens[this.#at];
    if (!previous || !token) return true;
    return previous.place.file !== token.place.file || token.place.line !== previous.endLine;
  }

  #substitute(token: Token): string {
    return substituteEnvironment(token.text, this.#environment);
  }

  #report(place: Place, message: string): [] {
    this.#problems.push({ place, message });
    return [];
  }

  #fail(place: Place, message: string): never {
    this.#report(place, message);
    throw new Unreadable();
  }
}
