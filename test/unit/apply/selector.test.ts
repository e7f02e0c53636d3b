import { describe, expect, test } from 'vitest';
import { parsePattern, parseSelector } from '../../../lib/apply/selector.ts';

describe('a label selector', () => {
  test.each([
    ['', { a: '1' }, true],
    ['a=1', { a: '1' }, true],
    ['a==1', { a: '2' }, false],
    ['a!=1', { a: '1' }, false],
    ['a!=1', {}, true],
    ['a', { a: '' }, true],
    ['!a', { a: '' }, false],
    ['!a', {}, true],
    ['a in (1, 2)', { a: '2' }, true],
    ['a in (1,2)', {}, false],
    ['a notin (1,2)', {}, true],
    ['a notin (1,2)', { a: '1' }, false],
    ['a=1,b in (x,y),!c', { a: '1', b: 'y' }, true],
    ['a=1,b in (x,y),!c', { a: '1', b: 'z' }, false],
    ['example.com/tier=front', { 'example.com/tier': 'front' }, true],
    ['a=', { a: '' }, true],
  ])('"%s" on %o is %s', (text, labels, expected) => {
    expect(parseSelector(text)(labels as Record<string, string>)).toBe(expected);
  });

  test.each(['a=1,,b', 'a in 1', 'a in (1', '=1', 'a==b=c', 'a b', '-a'])('"%s" is refused', (text) => {
    expect(() => parseSelector(text)).toThrow('is not understood');
  });
});

describe('a pattern of a target', () => {
  test.each([
    ['Deployment', 'Deployment', true],
    ['Deploy', 'Deployment', false],
    ['Deployment|StatefulSet', 'StatefulSet', true],
    ['web-.*', 'web-1', true],
    ['(?i)deployment', 'Deployment', true],
    ['web-[0-9]+', 'web-x', false],
    ['(web|api)-(front|back)?', 'api-back', true],
  ])('"%s" on "%s" is %s', (text, value, expected) => {
    expect(parsePattern(text).test(value)).toBe(expected);
  });

  test.each([
    '(a+)+',
    '(a|a)*',
    '(a*)*b',
    '.*.*.*.*.*',
    'a{1,}{1,}b(c+)+',
    '((a)+)*',
    'a?a?a?a?a?a?a?aaaaaaa',
    `${'a?'.repeat(300)}`,
  ])('"%s" could keep a worker busy and is refused', (text) => {
    expect(() => parsePattern(text)).toThrow();
  });

  test('that is no regular expression is refused', () => {
    expect(() => parsePattern('(')).toThrow();
  });

  test('ends quickly even where it does not match', () => {
    const start = performance.now();
    parsePattern('.*a.*b.*c.*d').test('a'.repeat(253));
    expect(performance.now() - start).toBeLessThan(1_000);
  });
});
