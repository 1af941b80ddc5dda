import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { noFiles } from '../corefile/source.ts';
import { compileCorefile } from '../server/compile.ts';
import { PLUGINS } from './index.ts';
import { exampleCorefiles, withSyntax } from './readme.ts';

const folder = new URL('.', import.meta.url);

describe('documents of the plugins', () => {
  it('every folder is a plugin of the list, and the other way round', () => {
    const folders = readdirSync(folder, { withFileTypes: true }).filter((entry) => entry.isDirectory());
    assert.deepEqual(folders.map(({ name }) => name).toSorted(), PLUGINS.map(({ name }) => name).toSorted());
  });

  for (const plugin of PLUGINS) {
    it(`${plugin.name}: sections in order, syntax as parsed, and every example is taken`, () => {
      const readme = readFileSync(new URL(`${plugin.name}/README.md`, folder), 'utf8');
      const sections = Array.from(readme.matchAll(/^## (.*)$/gm), ([, title]) => title);
      const order = ['Name', 'Description', 'Syntax', 'Examples', 'Metrics', 'Ready', 'Departures'];
      assert.deepEqual(
        sections,
        order.filter((title) => sections.includes(title)),
      );
      for (const needed of order.slice(0, 4)) assert.ok(sections.includes(needed), `no section ${needed}`);
      assert.equal(readme, withSyntax(readme, plugin), 'run write-readmes.ts');
      const examples = exampleCorefiles(readme);
      assert.ok(examples.length > 0, 'no example');
      for (const text of examples) compileCorefile(text, { file: 'example', plugins: PLUGINS, source: noFiles });
    });
  }
});
