import assert from 'node:assert/strict';
import { test } from 'node:test';
import { classifyNftFailure } from './nft.ts';

test('nft: failures are classified by what the caller can do about them', () => {
  const cases = [
    [1, '/dev/stdin:1:1-2: Error: Could not process rule: No such file or directory', 'nft-mismatch'],
    [1, '/dev/stdin:1:1-2: Error: Could not process rule: File exists', 'nft-mismatch'],
    [1, 'Error: No such file or directory; did you mean set x in table ip y?', 'nft-mismatch'],
    [1, '/dev/stdin:1:5-9: Error: syntax error, unexpected string', 'nft-syntax'],
    [1, 'Error: Could not process rule: Operation not permitted', 'nft-denied'],
    [134, "nft: netlink_linearize.c:799: netlink_gen_expr: Assertion `dreg < ctx->reg_low' failed.", 'nft-crashed'],
    [128, '', 'nft-crashed'],
    [1, 'Error: Could not process rule: Device or resource busy', 'nft-failed'],
  ] as const;
  for (const [exitCode, stderr, code] of cases) assert.equal(classifyNftFailure(exitCode, stderr), code, stderr);
});
