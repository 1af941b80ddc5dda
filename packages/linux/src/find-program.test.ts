import assert from 'node:assert/strict';
import { test } from 'node:test';
import { findProgram } from './find-program.ts';

test('a program is found in the first folder that has it, or not at all', async () => {
  assert.match((await findProgram('sh')) ?? '', /^\/(usr\/)?bin\/sh$/);
  assert.equal(await findProgram('no-such-program'), undefined);
  assert.equal(await findProgram('sh', ['/nonexistent']), undefined);
});
