import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { parseMilliCpu, parseQuantity, parseQuantityNanos } from './quantity.ts';

const cases: [text: string, value: number | undefined][] = [
  ['1', 1],
  ['100m', 0.1],
  ['1.5', 1.5],
  ['.5', 0.5],
  ['1Ki', 1024],
  ['1.5Gi', 1610612736],
  ['2E', 2e18],
  ['1e3', 1000],
  ['1E3', 1000],
  ['-1k', -1000],
  ['', undefined],
  ['.', undefined],
  ['1Kb', undefined],
  ['Ki', undefined],
];
for (const [text, value] of cases) {
  test(`'${text}' is ${value ?? 'refused'}`, () => {
    if (value === undefined) assert.equal(parseQuantityNanos(text), undefined);
    else assert.equal(parseQuantity(text), value);
  });
}

test('amounts finer than the unit are rounded up', () => {
  assert.equal(parseMilliCpu('1u'), 1);
  assert.equal(parseMilliCpu('1500u'), 2);
  assert.equal(parseQuantityNanos('0.1n'), 1n);
});

test('no text makes the parser throw', () => {
  fc.assert(fc.property(fc.string(), (text) => void parseQuantityNanos(text)));
});
