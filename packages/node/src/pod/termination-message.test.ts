import assert from 'node:assert/strict';
import { mkdtemp, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { readTerminationMessage } from './termination-message.ts';

let dir = '';
before(async () => {
  dir = await mkdtemp(join(tmpdir(), 'ballast-words-'));
});
after(() => rm(dir, { recursive: true }));

const read = (fallBackToLogs: boolean) =>
  readTerminationMessage({ file: join(dir, 'words'), logFile: join(dir, 'log'), fallBackToLogs });

test('of a termination log of any size only the last 4096 bytes are read', async () => {
  await writeFile(join(dir, 'words'), '');
  // Larger than a Buffer may be: whoever reads it whole fails (a sparse file takes no room).
  await truncate(join(dir, 'words'), 8 * 2 ** 30);
  await writeFile(join(dir, 'words'), 'last words', { flag: 'a' });
  const text = await read(false);
  assert.equal(Buffer.byteLength(text), 4096);
  assert.ok(text.endsWith('last words'));
});

test('without words the end of the log stands in, when that is asked for', async () => {
  await rm(join(dir, 'words'));
  await writeFile(join(dir, 'log'), '2026-01-01T00:00:00Z stdout F one\n2026-01-01T00:00:00Z stderr F two\n');
  assert.equal(await read(false), '');
  assert.equal(await read(true), 'one\ntwo\n');
});
