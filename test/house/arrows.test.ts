import assert from 'node:assert/strict';
import { existsSync, globSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { describe, test } from 'node:test';

const ROOT = join(import.meta.dirname, '../..');

/** Which rooms a room may import. Everything above the ground floor meets through the Kubernetes API, not through imports. */
const GROUND = ['base', 'linux', 'kube'] as const;
const ARROWS: Readonly<Record<string, readonly string[]>> = {
  base: [],
  linux: ['base'],
  kube: ['base'],
  bgp: ['base', 'linux'],
  neighbor: ['base', 'linux'],
  store: GROUND,
  apiserver: [...GROUND, 'store'],
  controllers: GROUND,
  scheduler: GROUND,
  node: GROUND,
  network: GROUND,
  proxy: GROUND,
  loadbalancer: [...GROUND, 'bgp', 'neighbor'],
  dns: GROUND,
  // These three put rooms together.
  cluster: ['*'],
  lab: ['*'],
  cli: ['*'],
};

/** Names that say nothing about what a file holds. */
const EMPTY_NAMES = /^(utils?|helpers?|common|misc|types|manager|shared|stuff)$/;

const IMPORT = /(?:^|\n)\s*(?:import|export)\b[^'";]*?\bfrom\s*'([^']+)'|import\(\s*'([^']+)'\s*\)/g;

function sources(room: string): string[] {
  return globSync(`packages/${room}/src/**/*.ts`, { cwd: ROOT }).sort();
}

function importsOf(file: string): string[] {
  return Array.from(readFileSync(join(ROOT, file), 'utf8').matchAll(IMPORT), (match) => match[1] ?? match[2] ?? '');
}

const rooms = globSync('packages/*', { cwd: ROOT }).map((path) => basename(path));

describe('arrows between rooms', () => {
  test('every room has its place in the table', () => {
    assert.deepEqual(rooms.sort(), Object.keys(ARROWS).sort());
  });

  for (const room of rooms) {
    test(`${room} imports only what it may, and only through the front door`, () => {
      const allowed = ARROWS[room] ?? [];
      const wrong: string[] = [];
      for (const file of sources(room)) {
        for (const path of importsOf(file)) {
          const target = /^@ballast\/([^/]+)(\/.*)?$/.exec(path);
          if (target) {
            const [, name = '', inside] = target;
            if (inside !== undefined) wrong.push(`${file} reaches inside ${path}`);
            if (name !== room && !allowed.includes('*') && !allowed.includes(name))
              wrong.push(`${file} imports ${path}`);
          } else if (path.startsWith('.') && !join(file, '..', path).startsWith(`packages/${room}/`)) {
            wrong.push(`${file} leaves its room by ${path}`);
          }
        }
      }
      assert.deepEqual(wrong, []);
    });
  }
});

describe('house rules', () => {
  const files = rooms.flatMap(sources);

  test('file names say what a file holds', () => {
    assert.deepEqual(
      files.filter((file) => EMPTY_NAMES.test(basename(file).replace(/(\.test)?\.ts$/, ''))),
      [],
    );
  });

  test('no file is longer than 600 lines', () => {
    const long = files.filter((file) => readFileSync(join(ROOT, file), 'utf8').split('\n').length > 601);
    assert.deepEqual(long, []);
  });

  test('every room has a README', () => {
    assert.deepEqual(
      rooms.filter((room) => !existsSync(join(ROOT, 'packages', room, 'README.md'))),
      [],
    );
  });

  test('only entry points read the environment', () => {
    const readers = files.filter((file) => {
      const entry = /^packages\/(cli|lab)\//.test(file) || file.endsWith('.test.ts');
      return !entry && readFileSync(join(ROOT, file), 'utf8').includes('process.env');
    });
    assert.deepEqual(readers, []);
  });
});
