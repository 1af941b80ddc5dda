import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import {
  formatLabelSelector,
  matchesLabelSelector,
  matchesLabels,
  matchesRequirements,
  parseFieldSelector,
  parseLabelSelector,
  SelectorSyntaxError,
} from './selectors.ts';

const labels = { app: 'web', tier: 'front', 'example.com/zone': 'a' };

describe('label selector texts', () => {
  const cases: [text: string, matches: boolean][] = [
    ['', true],
    ['app=web', true],
    ['app==web', true],
    ['app!=web', false],
    ['missing!=web', true],
    ['app in (api, web)', true],
    ['app notin (api,web)', false],
    ['missing notin (a)', true],
    ['app', true],
    ['!app', false],
    ['! missing', true],
    ['example.com/zone=a,tier in (front),!old', true],
    ['app=web,tier=back', false],
    ['tier=', false],
  ];
  for (const [text, matches] of cases) {
    test(`'${text}' ${matches ? 'matches' : 'does not match'}`, () =>
      assert.equal(matchesRequirements(parseLabelSelector(text), labels), matches));
  }

  for (const text of ['app=', '=web', 'app in web', 'app web', 'app in (a', ',', 'a b=c']) {
    test(`'${text}' ${text === 'app=' ? 'asks for the empty value' : 'is refused'}`, () => {
      if (text === 'app=') assert.deepEqual(parseLabelSelector(text), [{ key: 'app', operator: 'in', values: [''] }]);
      else assert.throws(() => parseLabelSelector(text), SelectorSyntaxError);
    });
  }

  test('no text raises anything but a syntax error', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        for (const parse of [parseLabelSelector, parseFieldSelector]) {
          try {
            parse(text);
          } catch (error) {
            assert.ok(error instanceof SelectorSyntaxError);
          }
        }
      }),
    );
  });
});

describe('selector objects', () => {
  test('an absent selector matches nothing, an empty one everything', () => {
    assert.equal(matchesLabelSelector(undefined, labels), false);
    assert.equal(matchesLabelSelector({}, undefined), true);
    assert.equal(matchesLabels({}, labels), false);
  });

  test('the object and its text agree', () => {
    const selector = {
      matchLabels: { app: 'web' },
      matchExpressions: [
        { key: 'tier', operator: 'In', values: ['front', 'back'] },
        { key: 'old', operator: 'DoesNotExist' },
        { key: 'example.com/zone', operator: 'NotIn', values: ['b'] },
      ],
    };
    assert.equal(matchesLabelSelector(selector, labels), true);
    assert.equal(matchesRequirements(parseLabelSelector(formatLabelSelector(selector)), labels), true);
  });
});

test('field selectors split at unescaped commas and keep escaped characters', () => {
  assert.deepEqual(parseFieldSelector('spec.nodeName=a,metadata.name!=x\\,y'), [
    { path: 'spec.nodeName', equal: true, value: 'a' },
    { path: 'metadata.name', equal: false, value: 'x,y' },
  ]);
});
