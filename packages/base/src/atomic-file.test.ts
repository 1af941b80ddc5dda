import assert from 'node:assert/strict';
import { mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { writeFileAtomic } from './atomic-file.ts';

const folder = await mkdtemp(join(tmpdir(), 'ballast-atomic-'));
after(() => rm(folder, { recursive: true, force: true }));

test('content is replaced as a whole, with mode 0600, and nothing else is left', async () => {
  const path = join(folder, 'secret');
  await writeFileAtomic(path, 'one');
  await writeFileAtomic(path, 'two');
  assert.equal(await readFile(path, 'utf8'), 'two');
  assert.equal((await stat(path)).mode & 0o777, 0o600);
  assert.deepEqual(await readdir(folder), ['secret']);
});

test('a failed write leaves no temporary file', async () => {
  await assert.rejects(writeFileAtomic(join(folder, 'missing', 'x'), 'one'));
  assert.deepEqual(await readdir(folder), ['secret']);
});
