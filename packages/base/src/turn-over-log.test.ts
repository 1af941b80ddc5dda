import assert from 'node:assert/strict';
import { mkdtemp, open, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { turnOverLog } from './turn-over-log.ts';

test('a log file is turned over at its limit, the older part kept beside it, and its writer goes on', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'ballast-log-'));
  const path = join(dir, 'x.log');
  const writer = await open(path, 'a');
  await writer.write('a\nb\n');
  assert.equal(await turnOverLog(path, 100), false);
  assert.equal(await turnOverLog(path, 3), true);
  await writer.write('c\n');
  assert.equal(await readFile(path, 'utf8'), 'c\n');
  assert.equal(await readFile(`${path}.1`, 'utf8'), 'a\nb\n');
  assert.equal(await turnOverLog(join(dir, 'missing')), false);
  await writer.close();
  await rm(dir, { recursive: true });
});
