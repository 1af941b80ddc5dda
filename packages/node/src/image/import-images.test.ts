import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { SimulatedClock, silentLogger } from '@ballast/base';
import { startImageImporter } from './import-images.ts';

test('an archive that could not be imported is tried again after a while, not at every look', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'ballast-import-'));
  await writeFile(join(dir, 'image.tar'), 'archive');
  const clock = new SimulatedClock();
  let tries = 0;
  {
    await using importer = startImageImporter({
      socketPath: '',
      cri: { imageStatus: async () => ({ image: undefined, info: {} }) },
      imageDir: dir,
      recordPath: join(dir, 'record.json'),
      importArchive: async () => {
        tries += 1;
        if (tries < 3) throw new Error('no space left on device');
        return ['image:1'];
      },
      logger: silentLogger,
      clock,
    });
    await importer.initial;
    const triesAfter = async (ms: number) => {
      for (let passed = 0; passed < ms; passed += 2000) {
        await clock.advance(2000);
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
      return tries;
    };
    assert.equal(await triesAfter(50_000), 1);
    assert.equal(await triesAfter(20_000), 2);
    assert.equal(await triesAfter(70_000), 3);
    assert.equal(await triesAfter(120_000), 3);
  }
  await rm(dir, { recursive: true });
});
