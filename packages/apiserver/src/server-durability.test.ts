import assert from 'node:assert/strict';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { silentLogger } from '@ballast/base';
import { CONFIG_MAPS, createClient } from '@ballast/kube';
import { openStore } from '@ballast/store';
import { pem, startTestServer } from './testdata/test-server.ts';

test('every write that was answered is there after SIGKILL of the server, with its resourceVersion', {
  timeout: 60_000,
}, async () => {
  const directory = await mkdtemp(join(tmpdir(), 'ballast-durable-'));
  const path = join(directory, 'store.db');
  try {
    const child = fork(join(import.meta.dirname, 'testdata/durable-server.ts'), [path]);
    const [{ url }] = (await once(child, 'message')) as [{ url: string }];
    const [caPem, certPem, keyPem] = await Promise.all([pem('ca.crt'), pem('admin.crt'), pem('admin.key')]);
    const client = createClient({ server: url, caPem, certPem, keyPem });
    const answered = new Map<string, string | undefined>();
    const writer = async (id: number) => {
      for (let i = 0; ; i++) {
        const name = `w${id}-${i}`;
        const made = await client.create(CONFIG_MAPS, {
          metadata: { name, namespace: 'default' },
          data: { i: String(i) },
        });
        answered.set(name, made.metadata.resourceVersion);
        if (answered.size === 300) child.kill('SIGKILL');
      }
    };
    await Promise.allSettled(Array.from({ length: 8 }, (_, id) => writer(id)));
    await client[Symbol.asyncDispose]();
    assert.ok(answered.size >= 300);
    const store = await openStore({ path, logger: silentLogger });
    const again = await startTestServer({ store });
    const { items } = await again.client.list(CONFIG_MAPS, { namespace: 'default' });
    const found = new Map(items.map(({ metadata }) => [metadata.name, metadata.resourceVersion]));
    for (const [name, version] of answered) assert.equal(found.get(name), version, name);
    await again[Symbol.asyncDispose]();
    await store[Symbol.asyncDispose]();
  } finally {
    await rm(directory, { recursive: true });
  }
});
