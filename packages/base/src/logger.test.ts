import assert from 'node:assert/strict';
import { mkdtemp, open, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { createLogger } from './logger.ts';

test('one line of JSON per event, at once', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'ballast-logger-'));
  const file = await open(join(dir, 'log'), 'w');
  createLogger({ fd: file.fd, fields: { role: 'node' } })
    .child({ pod: 'p' })
    .warn('event', { count: 1 });
  const { time, ...line } = JSON.parse(await readFile(join(dir, 'log'), 'utf8')) as Record<string, unknown>;
  assert.equal(typeof time, 'string');
  assert.deepEqual(line, { level: 'warn', role: 'node', pod: 'p', count: 1, msg: 'event' });
  await file.close();
  await rm(dir, { recursive: true });
});

test('on a full disk the program goes on, and keeps only so much for later', async () => {
  const full = await open('/dev/full', 'w');
  const logger = createLogger({ fd: full.fd });
  const before = process.memoryUsage().rss;
  for (let i = 0; i < 50_000; i += 1) logger.info('an event that nobody will read', { text: 'x'.repeat(1000) });
  await new Promise((resolve) => setImmediate(resolve));
  assert.ok(process.memoryUsage().rss - before < 40_000_000);
  await full.close();
});
