import type { Place } from './problem.ts';

/** A word of a Corefile. */
export interface Token {
  readonly text: string;
  readonly place: Place;
  /** Line of the last character; differs from the first only in quoted text. */
  readonly endLine: number;
}

/**
 * Splits a Corefile into words, with the rules of the Caddyfile lexer: blanks separate; `#` starts a comment (glued to a word it hides the
 * rest of that word only); a word that starts with `"` runs to the next `"` not behind a backslash, and only `\"` is an escape in it;
 * carriage returns vanish; one leading byte order mark is dropped. Never fails: an open quote ends with the file.
 */
export function tokenize(text: string, file: string): Token[] {
  const tokens: Token[] = [];
  const end = text.length;
  let at = text.startsWith('\uFEFF') ? 1 : 0;
  let line = 1;

  const skipComment = () => {
    while (at < end && text[at] !== '\n') at++;
  };
  const quoted = (): string => {
    let value = '';
    at++;
    while (at < end && text[at] !== '"') {
      const escapesQuote = text[at] === '\\' && text[at + 1] === '"';
      if (escapesQuote) at++;
      const char = text[at++] ?? '';
      if (char === '\n') line++;
      if (char !== '\r') value += char;
    }
    at++;
    return value;
  };
  const bare = (): string => {
    let value = '';
    let hidden = false;
    while (at < end && (text[at] === '\r' || !/\s/.test(text[at] ?? ''))) {
      const char = text[at++] ?? '';
      if (char === '#') hidden = true;
      if (!hidden && char !== '\r') value += char;
    }
    return value;
  };

  while (at < end) {
    const char = text[at] ?? '';
    if (char === '\n') {
      line++;
      at++;
    } else if (/\s/.test(char)) at++;
    else if (char === '#') skipComment();
    else {
      const startLine = line;
      const value = char === '"' ? quoted() : bare();
      tokens.push({ text: value, place: { file, line: startLine }, endLine: line });
    }
  }
  return tokens;
}
