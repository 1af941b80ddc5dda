import assert from 'node:assert/strict';
import { appendFile, mkdtemp, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { systemClock } from '@ballast/base';
import { type ReadLogOptions, readLog } from './read-log.ts';
import { removeLogs, rotateLog } from './rotate-logs.ts';

const record = (text: string) => `2026-01-01T00:00:00Z stdout F ${text}\n`;

describe('container logs', () => {
  let dir = '';
  before(async () => {
    dir = await mkdtemp(join(tmpdir(), 'ballast-log-'));
  });
  after(() => rm(dir, { recursive: true }));

  const options = (path: string, more: Partial<ReadLogOptions> = {}): ReadLogOptions => ({
    path,
    follow: false,
    isRunning: async () => false,
    clock: systemClock,
    signal: new AbortController().signal,
    ...more,
  });
  const read = async (given: ReadLogOptions) => {
    let text = '';
    for await (const chunk of readLog(given)) text += Buffer.from(chunk).toString('utf8');
    return text;
  };

  test('all of it, the last lines, none of it', async () => {
    const path = join(dir, 'tail.log');
    await writeFile(path, Array.from({ length: 5000 }, (_, i) => record(`line ${i}`)).join(''));
    assert.equal((await read(options(path))).split('\n').length, 5001);
    assert.equal(await read(options(path, { tailLines: 2 })), 'line 4998\nline 4999\n');
    assert.equal((await read(options(path, { tailLines: 4000 }))).split('\n')[0], 'line 1000');
    assert.equal((await read(options(path, { tailLines: 9999 }))).split('\n')[0], 'line 0');
    assert.equal(await read(options(path, { tailLines: 0 })), '');
  });

  test('a followed log goes on after its rotation and ends with its container', async () => {
    const path = join(dir, 'follow.log');
    await writeFile(path, record('one'));
    let running = true;
    const reading = read(options(path, { follow: true, isRunning: async () => running }));
    await appendFile(path, record('two'));
    await rename(path, `${path}.1`);
    await appendFile(`${path}.1`, record('three'));
    await writeFile(path, record('four'));
    running = false;
    assert.equal(await reading, 'one\ntwo\nthree\nfour\n');
  });

  test('rotation keeps five files and compresses all but the newest two', async () => {
    const folder = await mkdtemp(join(dir, 'rotate-'));
    const path = join(folder, '0.log');
    let reopened = 0;
    const cri = { reopenContainerLog: async () => ({ n: reopened++ }) };
    for (let i = 0; i < 7; i += 1) {
      await writeFile(path, record(`content ${i}`));
      const rotated = await rotateLog({
        cri,
        containerId: 'c',
        path,
        nowMs: Date.UTC(2026, 0, 1, 0, 0, i),
        maxBytes: 10,
      });
      assert.equal(rotated, true);
    }
    await writeFile(path, '');
    assert.equal(await rotateLog({ cri, containerId: 'c', path, nowMs: 0, maxBytes: 10 }), false);
    assert.equal(reopened, 7);
    assert.deepEqual((await readdir(folder)).toSorted(), [
      '0.log',
      '0.log.20260101-000003.gz',
      '0.log.20260101-000004.gz',
      '0.log.20260101-000005.gz',
      '0.log.20260101-000006',
    ]);
    await writeFile(join(folder, '10.log'), '');
    await removeLogs(path);
    assert.deepEqual(await readdir(folder), ['10.log']);
  });
});
