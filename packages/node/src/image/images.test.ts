import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { unpackTar } from 'modern-tar';
import { helloImage, isStaticElf, pauseImage } from './built-in-images.ts';
import { buildOciArchive } from './oci-archive.ts';
import { buildPauseElf } from './pause-elf.ts';
import { credentialsFor, isLatest, splitReference } from './pull-credentials.ts';

describe('the sandbox program', () => {
  test('is a static ELF of less than 400 bytes for both architectures', () => {
    for (const architecture of ['amd64', 'arm64'] as const) {
      const elf = buildPauseElf(architecture);
      assert.ok(elf.length < 400, String(elf.length));
      assert.ok(isStaticElf(elf));
      assert.equal(elf.readUInt16LE(18), { amd64: 62, arm64: 183 }[architecture]);
    }
  });

  const own = process.arch === 'x64' ? 'amd64' : process.arch === 'arm64' ? 'arm64' : undefined;
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    test(`runs, and ends with 0 on ${signal}`, { skip: own === undefined }, async () => {
      if (!own) return;
      const dir = mkdtempSync(join(tmpdir(), 'ballast-pause-'));
      try {
        const path = join(dir, 'pause');
        writeFileSync(path, buildPauseElf(own), { mode: 0o755 });
        const child = spawn(path, { stdio: 'ignore' });
        await new Promise((resolve) => child.once('spawn', resolve));
        // The signal handlers are the first thing it sets up; its first milliseconds belong to that.
        await new Promise((resolve) => setTimeout(resolve, 10));
        const ended = new Promise((resolve) => child.once('exit', (code, by) => resolve([code, by])));
        child.kill(signal);
        assert.deepEqual(await ended, [0, null]);
      } finally {
        rmSync(dir, { recursive: true });
      }
    });
  }
});

describe('OCI archives', () => {
  test('the same input gives the same bytes, and every digest is that of its blob', async () => {
    const image = pauseImage('amd64');
    const archive = await buildOciArchive(image);
    assert.deepEqual(await buildOciArchive(image), archive);
    const entries = await unpackTar(archive);
    const files = new Map(entries.map(({ header, data }) => [header.name, data]));
    for (const [name, data] of files) {
      const digest = /^blobs\/sha256\/(.+)$/.exec(name)?.[1];
      if (digest && data) assert.equal(createHash('sha256').update(data).digest('hex'), digest);
    }
    const json = (name: string) =>
      JSON.parse(Buffer.from(files.get(name) ?? []).toString('utf8')) as Record<string, unknown>;
    assert.equal(json('oci-layout').imageLayoutVersion, '1.0.0');
    const [manifest] = json('index.json').manifests as { digest: string; annotations: Record<string, string> }[];
    assert.equal(manifest?.annotations['io.containerd.image.name'], 'registry.ballast.dev/pause:1');
    assert.ok(files.has(`blobs/sha256/${manifest?.digest.slice(7)}`));
  });

  test('the versions of the sample image differ', async () => {
    const build = (version: number) =>
      buildOciArchive(helloImage({ version, architecture: 'amd64', busybox: Buffer.from('x') }));
    assert.notDeepEqual(await build(1), await build(2));
  });
});

describe('image references and credentials', () => {
  test('registry and path', () => {
    assert.deepEqual(splitReference('nginx:1'), { registry: 'docker.io', path: 'library/nginx:1' });
    assert.deepEqual(splitReference('me/app'), { registry: 'docker.io', path: 'me/app' });
    assert.deepEqual(splitReference('localhost:5000/a/b@sha256:1'), {
      registry: 'localhost:5000',
      path: 'a/b@sha256:1',
    });
  });

  test('latest is what has no tag, or that tag', () => {
    assert.deepEqual(['nginx', 'nginx:latest', 'r:5000/nginx', 'nginx:1', 'nginx@sha256:0'].map(isLatest), [
      true,
      true,
      true,
      false,
      false,
    ]);
  });

  test('the most specific entry of a Secret comes first; malformed Secrets are passed over', () => {
    const secret = (content: string) => ({
      metadata: { name: 's' },
      data: { '.dockerconfigjson': Buffer.from(content).toString('base64') },
    });
    const auths = {
      'https://index.docker.io/v1/': { username: 'hub', password: 'p' },
      'registry.example.com': { auth: 'YTpi' },
      'registry.example.com/team': { username: 'team', password: 'p' },
      '*.example.org': { username: 'any', password: 'p' },
    };
    const secrets = [secret(JSON.stringify({ auths })), secret('not json')];
    assert.deepEqual(credentialsFor('nginx', secrets), [{ username: 'hub', password: 'p' }]);
    assert.deepEqual(credentialsFor('registry.example.com/team/app:1', secrets), [
      { username: 'team', password: 'p' },
      { auth: 'YTpi' },
    ]);
    assert.deepEqual(credentialsFor('registry.example.com/teams/app:1', secrets), [{ auth: 'YTpi' }]);
    assert.equal(credentialsFor('a.example.org/x', secrets)[0]?.username, 'any');
    assert.deepEqual(credentialsFor('quay.io/x', secrets), []);
  });
});
