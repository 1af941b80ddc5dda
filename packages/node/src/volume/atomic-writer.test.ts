import assert from 'node:assert/strict';
import { lstat, mkdir, mkdtemp, readdir, readFile, readlink, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import fc from 'fast-check';
import { checkPayloadPath, writeAtomically } from './atomic-writer.ts';
import { removeVolumes } from './pod-volumes.ts';
import { resolveSubPath } from './sub-path.ts';

const payload = (files: Record<string, string>, mode = 0o644) =>
  new Map(Object.entries(files).map(([path, text]) => [path, { content: Buffer.from(text), mode }]));

describe('atomic writer', () => {
  let dir = '';
  before(async () => {
    dir = await mkdtemp(join(tmpdir(), 'ballast-volume-'));
  });
  after(() => rm(dir, { recursive: true }));

  test('files appear through ..data, are replaced as a whole, and vanish when they are no more', async () => {
    const target = join(dir, 'one');
    assert.equal(await writeAtomically({ target, payload: payload({ a: '1', 'sub/b': '2' }, 0o400) }), true);
    assert.equal(await readFile(join(target, 'sub/b'), 'utf8'), '2');
    assert.equal(await readlink(join(target, 'a')), '..data/a');
    assert.equal((await lstat(join(target, '..data/a'))).mode & 0o777, 0o400);
    const first = await readlink(join(target, '..data'));
    assert.equal(await writeAtomically({ target, payload: payload({ a: '1', 'sub/b': '2' }, 0o400) }), false);
    assert.equal(await writeAtomically({ target, payload: payload({ a: '3', c: '4' }) }), true);
    const second = await readlink(join(target, '..data'));
    assert.notEqual(first, second);
    assert.deepEqual((await readdir(target)).toSorted(), [second, '..data', 'a', 'c'].toSorted());
    assert.equal(await readFile(join(target, 'a'), 'utf8'), '3');
  });

  test('a write that fails leaves nothing behind', async () => {
    const target = join(dir, 'failing');
    await writeAtomically({ target, payload: payload({ a: '1' }) });
    const before = (await readdir(target)).toSorted();
    for (let round = 0; round < 3; round += 1) {
      await assert.rejects(writeAtomically({ target, payload: payload({ big: 'x', 'big/below': 'y' }) }));
    }
    assert.deepEqual((await readdir(target)).toSorted(), before);
  });

  test('a uid that is no name removes nothing', async () => {
    const dirs = { persistent: join(dir, 'kept/persistent'), volatile: join(dir, 'kept/volatile') };
    for (const folder of Object.values(dirs)) await mkdir(join(folder, 'pod'), { recursive: true });
    for (const uid of ['', '.', '..', 'pod/..', '../persistent']) await removeVolumes(dirs, uid);
    for (const folder of Object.values(dirs)) assert.deepEqual(await readdir(folder), ['pod']);
    await removeVolumes(dirs, 'pod');
    assert.deepEqual(await readdir(dirs.persistent), []);
  });

  test('no path leads out of the volume or touches the names of the writer', () => {
    for (const bad of ['', '..', '../x', 'a/../b', '/etc', 'a//b', '..data', '..x']) {
      assert.throws(() => checkPayloadPath(bad), { code: 'path-invalid' }, bad);
    }
    for (const good of ['a', 'a/b', '.hidden', 'a..b', 'x/.y']) checkPayloadPath(good);
    fc.assert(
      fc.property(fc.string(), (path) => {
        try {
          checkPayloadPath(path);
        } catch {
          return;
        }
        assert.ok(join('/volume', path).startsWith('/volume/'));
      }),
    );
  });

  test('subPath: created when missing, links are followed inside the volume only', async () => {
    const volume = join(dir, 'sub');
    await writeAtomically({ target: volume, payload: payload({ key: 'x' }) });
    assert.equal(await readFile(await resolveSubPath(volume, 'key'), 'utf8'), 'x');
    assert.ok((await lstat(await resolveSubPath(volume, 'new/folder'))).isDirectory());
    await assert.rejects(resolveSubPath(volume, '../one'), { code: 'sub-path-invalid' });
    const { symlink } = await import('node:fs/promises');
    await symlink('/etc', join(volume, 'out'));
    await assert.rejects(resolveSubPath(volume, 'out'), { code: 'sub-path-invalid' });
  });
});
