import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { sameTemplate, templateHash } from './template-hash.ts';

suite('templateHash', () => {
  const template = (image: string, labels: Record<string, string> = {}) => ({
    metadata: { name: '', labels },
    spec: { containers: [{ name: 'c', image }] },
  });

  test('the hash label does not count, a collision gives another hash', () => {
    const plain = template('a', { app: 'x' });
    const labelled = template('a', { app: 'x', 'pod-template-hash': 'abc' });
    assert.ok(sameTemplate(plain, labelled));
    assert.equal(templateHash(plain), templateHash(labelled));
    assert.notEqual(templateHash(plain), templateHash(plain, 1));
    assert.notEqual(templateHash(plain), templateHash(template('b', { app: 'x' })));
    assert.match(templateHash(plain), /^[bcdfghjklmnpqrstvwxz2456789]{10}$/);
  });
});
