/** Brings the Syntax section of every plugin's README up to date: `node packages/dns/src/plugins/write-readmes.ts`. */
import { readFile, writeFile } from 'node:fs/promises';
import { PLUGINS } from './index.ts';
import { withSyntax } from './readme.ts';

for (const plugin of PLUGINS) {
  const path = new URL(`./${plugin.name}/README.md`, import.meta.url);
  await writeFile(path, withSyntax(await readFile(path, 'utf8'), plugin));
}
