import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isApiError } from '@ballast/kube';
import fc from 'fast-check';
import { isDryRun, parseDeleteOptions } from './delete.ts';
import { formatContinue, parseContinue } from './list.ts';
import { generateName } from './names.ts';

/** Runs a parser on anything: it may refuse with an ApiError, and only so. */
function parsesOrRefuses(parse: () => unknown): void {
  try {
    parse();
  } catch (error) {
    assert.ok(isApiError(error), String(error));
  }
}

test('continue tokens come back as they were made, and any other text is refused', () => {
  fc.assert(
    fc.property(fc.integer(), fc.string(), (revision, after) => {
      assert.deepEqual(parseContinue(formatContinue({ revision, after })), { revision, after });
    }),
  );
  fc.assert(fc.property(fc.string(), (text) => parsesOrRefuses(() => parseContinue(text))));
});

test('delete options: the body counts, then the query; wrong policies and periods are refused', () => {
  const query = new URLSearchParams('gracePeriodSeconds=5&propagationPolicy=Orphan');
  assert.equal(parseDeleteOptions({ gracePeriodSeconds: 1 }, query).gracePeriodSeconds, 1);
  assert.deepEqual(parseDeleteOptions(undefined, query), {
    gracePeriodSeconds: 5,
    propagationPolicy: 'Orphan',
    uid: undefined,
    resourceVersion: undefined,
  });
  assert.equal(parseDeleteOptions({ orphanDependents: true }, new URLSearchParams()).propagationPolicy, 'Orphan');
  assert.throws(
    () => parseDeleteOptions({ propagationPolicy: 'Sideways' }, query),
    (error) => isApiError(error, 'Invalid'),
  );
  assert.throws(
    () => parseDeleteOptions({ gracePeriodSeconds: 'x' }, query),
    (error) => isApiError(error, 'BadRequest'),
  );
  fc.assert(
    fc.property(fc.jsonValue(), fc.string(), (body, text) => {
      parsesOrRefuses(() => parseDeleteOptions(body, new URLSearchParams(text)));
      parsesOrRefuses(() => isDryRun(body, new URLSearchParams(text)));
    }),
  );
});

test('generated names fit a DNS label, whatever the base', () => {
  fc.assert(
    fc.property(fc.stringMatching(/^[a-z]{1,80}$/), (base) => {
      const name = generateName(base);
      assert.ok(name.length <= 63 && name.startsWith(base.slice(0, 58)));
    }),
  );
});
