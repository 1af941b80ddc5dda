import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compilePattern } from './pattern.ts';

test('a pattern whose backtracking is exponential answers at once', () => {
  const started = performance.now();
  assert.equal(compilePattern('^([a-z]+)+$')?.test(`${'a'.repeat(40)}!`), false);
  assert.ok(performance.now() - started < 2000);
});

test('what Go takes and the flag u refuses is a pattern', () => {
  assert.equal(compilePattern('^[a-z]+\\-[0-9]+$')?.test('web-1'), true);
  assert.equal(compilePattern('^\\p{Lu}+$')?.test('ÄÖ'), true);
  assert.equal(compilePattern('('), undefined);
});
