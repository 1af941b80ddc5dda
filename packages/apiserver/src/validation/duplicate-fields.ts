/**
 * Names the fields that occur twice in one object of a JSON text: `duplicate field "spec.replicas"`. The text must be valid JSON; what
 * is not JSON (YAML, say) gives an empty list.
 */
export function duplicateFields(text: string): string[] {
  const scan = new Scan(text);
  try {
    scan.value('');
  } catch {
    return [];
  }
  return scan.found;
}

const SPACE = /[\s]*/y;
const STRING = /"(?:[^"\\]|\\.)*"/y;
const SCALAR = /[^\s,\]}]+/y;
const MAX_DEPTH = 1000;

class Scan {
  readonly found: string[] = [];
  readonly #text: string;
  #at = 0;
  #depth = 0;

  constructor(text: string) {
    this.#text = text;
  }

  value(path: string): void {
    this.#skip();
    const first = this.#text[this.#at];
    if (first === '{') this.#object(path);
    else if (first === '[') this.#list(path);
    else if (first === '"') this.#take(STRING);
    else this.#take(SCALAR);
    this.#skip();
  }

  #object(path: string): void {
    this.#enter();
    const seen = new Set<string>();
    while (this.#text[this.#at] !== '}') {
      const name: unknown = JSON.parse(this.#take(STRING));
      if (typeof name !== 'string') throw new SyntaxError('a field name is text');
      const at = path === '' ? name : `${path}.${name}`;
      if (seen.has(name)) this.found.push(`duplicate field ${JSON.stringify(at)}`);
      seen.add(name);
      this.#skip();
      this.#expect(':');
      this.value(at);
      this.#separator('}');
    }
    this.#leave();
  }

  #list(path: string): void {
    this.#enter();
    for (let i = 0; this.#text[this.#at] !== ']'; i++) {
      this.value(`${path}[${i}]`);
      this.#separator(']');
    }
    this.#leave();
  }

  #enter(): void {
    if (++this.#depth > MAX_DEPTH) throw new RangeError('too deep');
    this.#at++;
    this.#skip();
  }

  #leave(): void {
    this.#depth--;
    this.#at++;
  }

  #separator(end: string): void {
    this.#skip();
    if (this.#text[this.#at] === end) return;
    this.#expect(',');
    this.#skip();
  }

  #expect(sign: string): void {
    if (this.#text[this.#at] !== sign) throw new SyntaxError(`expected ${sign}`);
    this.#at++;
  }

  #skip(): void {
    SPACE.lastIndex = this.#at;
    SPACE.exec(this.#text);
    this.#at = SPACE.lastIndex;
  }

  #take(pattern: RegExp): string {
    pattern.lastIndex = this.#at;
    const match = pattern.exec(this.#text);
    if (!match) throw new SyntaxError('unexpected text');
    this.#at = pattern.lastIndex;
    return match[0];
  }
}
