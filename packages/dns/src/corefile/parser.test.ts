import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { tokenize } from './lexer.ts';
import { type Line, parseCorefile } from './parser.ts';
import { formatProblem } from './problem.ts';
import type { CorefileSource } from './source.ts';

/** Files in memory; a folder is what has files below it. */
function files(tree: Readonly<Record<string, string>>): CorefileSource {
  return {
    readText: (path) => tree[path],
    isDirectory: (path) => Object.keys(tree).some((file) => file.startsWith(`${path}/`)),
    glob(pattern) {
      const regex = new RegExp(`^${pattern.replaceAll('.', '\\.').replace('*', '[^/]*').replace('?', '[^/]')}$`);
      return Object.keys(tree)
        .filter((path) => regex.test(path))
        .toSorted();
    },
  };
}

function parse(text: string, tree: Readonly<Record<string, string>> = {}, environment = {}) {
  return parseCorefile(text, { file: '/etc/Corefile', source: files(tree), environment });
}

const showLine = ({ name, args, body }: Line): string =>
  [name.text, ...args.map((token) => token.text), ...(body ? [`{${body.map(showLine).join('; ')}}`] : [])].join(' ');

/** One line per block: 'key key: directive; directive'. */
function show(text: string, tree: Readonly<Record<string, string>> = {}, environment = {}): string[] {
  const { blocks, problems } = parse(text, tree, environment);
  assert.deepEqual(problems.map(formatProblem), []);
  return blocks.map(
    ({ keys, directives }) => `${keys.map((key) => key.text).join(' ')}: ${directives.map(showLine).join('; ')}`,
  );
}

describe('Corefile lexer', () => {
  for (const [what, text, expected] of [
    ['words and lines', 'a b\n c', ['a', 'b', 'c']],
    ['a comment', 'a # b c\nd', ['a', 'd']],
    ['a comment glued to a word hides that word only', 'ab#c d', ['ab', 'd']],
    ['quotes', '"a b" "" c"d', ['a b', '', 'c"d']],
    ['escapes in quotes', '"a \\" b" "C:\\new\\\\x"', ['a " b', 'C:\\new\\\\x']],
    ['text after a closing quote', '"a"b', ['a', 'b']],
    ['an open quote', '"a b', ['a b']],
    ['braces glued to words', 'foo{ } {bar', ['foo{', '}', '{bar']],
    ['CRLF and BOM', '\uFEFFa\r\nb\r\n', ['a', 'b']],
  ] as const) {
    it(what, () =>
      assert.deepEqual(
        tokenize(text, 'f').map((token) => token.text),
        expected,
      ),
    );
  }

  it('counts the lines of quoted text', () => {
    const [, second] = tokenize('"a\nb"\nc', 'f');
    assert.equal(second?.place.line, 3);
  });
});

describe('Corefile parser', () => {
  it('keys by space, comma, and comma at the end of a line; a body is not needed', () => {
    assert.deepEqual(show('a b, c,\n d {\n x\n}'), ['a b c d: x']);
    assert.deepEqual(show('a'), ['a: ']);
  });

  it('braces may be left out of a single block', () => {
    assert.deepEqual(show('.:53\nerrors\nforward . 192.0.2.1 {\n except a\n}'), [
      '.:53: errors; forward . 192.0.2.1 {except a}',
    ]);
  });

  it('empty bodies, and several blocks', () => {
    assert.deepEqual(show('a {\n}\nb {\n x {\n }\n}'), ['a: ', 'b: x {}']);
  });

  it('environment: both forms, mixed, unset is empty, malformed stays, quoted too', () => {
    const environment = { A: 'one', B: 'two words' };
    assert.deepEqual(show('{$A}.org {\n x {$A}{%A%} {$B} "{$A}" a{$NO}b {$} {%X}\n {$A} y\n}', {}, environment), [
      'one.org: x oneone two words one ab {$} {%X}; one y',
    ]);
  });

  it('snippets and imports, in a block, in a body, at the top; elsewhere "import" is a word', () => {
    const tree = { '/etc/more': 'b {\n import log\n}', '/etc/d/1.conf': 'x 1', '/etc/d/2.conf': 'x 2' };
    const text =
      '(log) {\n errors\n log\n}\nimport more\na {\n import log\n y import z\n import d/*.conf\n w {\n import d/1.conf\n }\n}';
    assert.deepEqual(show(text, tree), ['b: errors; log', 'a: errors; log; y import z; x 1; x 2; w {x 1}']);
  });

  it('a pattern that matches nothing is a warning', () => {
    const { problems, warnings } = parse('a {\n import none/*.conf\n}');
    assert.deepEqual(
      [problems, warnings.map(formatProblem)],
      [[], ['/etc/Corefile:2: import "none/*.conf" matches no file']],
    );
  });

  for (const [what, text, expected] of [
    ['nothing', '', '/etc/Corefile:1: the Corefile is empty; write at least one server block'],
    ['no closing brace', 'a {\n x', '/etc/Corefile:1: this block\'s "{" is never closed; add "}" on a line of its own'],
    [
      'an inner brace open',
      'a {\n x {\n y\n}',
      '/etc/Corefile:1: this block\'s "{" is never closed; add "}" on a line of its own',
    ],
    ['a stray brace', 'a {\n}\n}', '/etc/Corefile:3: stray "}": no block is open here'],
    ['a comma and a brace', 'a, {\n}', '/etc/Corefile:1: a zone must follow the comma, not "{"'],
    ['no key', '{\n x\n}', '/etc/Corefile:1: a server block needs a zone before its "{", for example ".:53 {"'],
    [
      'a brace on its own line',
      'a {\n x\n {\n }\n}',
      '/etc/Corefile:3: a "{" must stand at the end of the line it belongs to',
    ],
    [
      'a missing file',
      'a {\n import no\n}',
      '/etc/Corefile:2: import "no": there is no such file or snippet (no snippet is defined above)',
    ],
    ['a directory', 'a {\n import d\n}', '/etc/Corefile:2: import "d" is a directory; write "d/*" for its files'],
    ['wildcards', 'a {\n import d/*/*\n}', '/etc/Corefile:2: import "d/*/*": use at most one * and one ?, and no [ ]'],
    ['import of nothing', 'a {\n import\n}', '/etc/Corefile:2: import needs the name of a snippet or file'],
    ['a snippet twice', '(s) {\n}\n(s) {\n}\na', '/etc/Corefile:3: snippet "s" is defined twice; rename one'],
    ['a snippet in itself', '(s) {\n import s\n}\na', '/etc/Corefile:1: snippet "s" imports itself'],
    ['a snippet without a name', '() {\n}\na', '/etc/Corefile:1: a snippet needs a name between its parentheses'],
    [
      'a file that opens a brace and imports itself',
      'a {\n import c3\n}',
      '/etc/c3:1: "{" is nested more than 100 deep',
    ],
    [
      'files in a circle',
      'a {\n import c1\n}',
      '/etc/c1:1: import "c2" never comes to an end: files or snippets import each other',
    ],
  ] as const) {
    it(`refuses ${what}`, () => {
      const { problems } = parse(text, {
        '/etc/d/1': 'x',
        '/etc/c1': 'import c2',
        '/etc/c2': 'import c1',
        '/etc/c3': 'x {\n import c3',
      });
      assert.equal(
        problems
          .map(formatProblem)
          .join('\n')
          .replace(/c2:1: import "c1"/, 'c1:1: import "c2"'),
        expected,
      );
    });
  }

  it('fuzz: any text parses to blocks or to problems', () => {
    const word = fc.constantFrom(
      'a',
      '{',
      '}',
      '"',
      '#',
      '\n',
      ' ',
      ',',
      '(s)',
      'import',
      's',
      'f',
      '{$A}',
      '\\"',
      '.:53',
    );
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.array(word).map((words) => words.join(' ')),
        ),
        (text) => {
          const { blocks, problems } = parse(text, { '/etc/f': text, '/etc/s': 'x\n}' });
          assert.ok(blocks.length + problems.length >= 0);
        },
      ),
      { numRuns: 1000 },
    );
  });
});
