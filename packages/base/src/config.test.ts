import assert from 'node:assert/strict';
import { test } from 'node:test';
import { z } from 'zod';
import { ConfigError, loadConfig, parseConfig } from './config.ts';

const schema = z.strictObject({
  name: z.string(),
  port: z.int().min(1).default(80),
  peers: z.array(z.strictObject({ asn: z.int() })).default([]),
});

function errorOf(text: string): string {
  try {
    parseConfig(schema, text, 'a.yaml');
  } catch (error) {
    assert.ok(error instanceof ConfigError);
    return error.message;
  }
  return assert.fail('was accepted');
}

test('defaults come from the schema', () => {
  assert.deepEqual(parseConfig(schema, 'name: x', 'a.yaml'), { name: 'x', port: 80, peers: [] });
});

test('all problems are reported at once, each with its line and path', () => {
  const message = errorOf('name: 1\nport: 0\nprot: 3\npeers:\n  - asn: 1\n  - asn: many\n');
  assert.match(message, /^a\.yaml:1: name: /m);
  assert.match(message, /^a\.yaml:2: port: /m);
  assert.match(message, /^a\.yaml:3: prot: /m);
  assert.match(message, /^a\.yaml:6: peers\.1\.asn: /m);
});

test('broken YAML names the line', () => {
  assert.match(errorOf('name: x\nport: [1\n'), /^a\.yaml:\d+: /);
});

test('a missing file is named', async () => {
  await assert.rejects(loadConfig(schema, '/nowhere/a.yaml'), {
    code: 'config-unreadable',
    message: '/nowhere/a.yaml: does not exist',
  });
});

test('an alias that refers to nothing is a problem of the file', () => {
  assert.match(errorOf('name: *nothing\n'), /^a\.yaml: .*alias/);
});
