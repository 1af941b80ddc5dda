import { setFlagsFromString } from 'node:v8';

// A pattern of a definition meets texts of other people. Go matches in linear time; V8 does so too once a match has backtracked too
// often, but only for patterns without the flag u.
setFlagsFromString('--enable-experimental-regexp-engine-on-excessive-backtracks');

const patterns = new Map<string, RegExp | undefined>();
/** Definitions come and go; their patterns need not be remembered for ever. */
const MAX_PATTERNS = 10_000;

/** The pattern of a definition (RE2 syntax); undefined when it is none. */
export function compilePattern(text: string): RegExp | undefined {
  if (!patterns.has(text)) {
    if (patterns.size >= MAX_PATTERNS) patterns.clear();
    patterns.set(text, compile(text));
  }
  return patterns.get(text);
}

function compile(text: string): RegExp | undefined {
  try {
    // The flag u is needed by characters beyond 16 bits and by \p and \u{}, and refuses some escapes that Go takes.
    return new RegExp(text, /\\[pPu]|[^\0-\x7f]/.test(text) ? 'u' : '');
  } catch {
    return undefined;
  }
}
