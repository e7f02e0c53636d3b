import { expect, test } from 'vitest';
import { excludeTags } from '../../../../lib/image/policy/exclude.ts';
import { expandTemplate } from '../../../../lib/image/policy/expand.ts';
import { PolicyError, parsePattern } from '../../../../lib/image/policy/pattern.ts';

test('tags that a pattern matches anywhere are left out', () => {
  const tags = ['1.0.0', '1.0.0.sig', 'sha256-abc.sig', '1.1.0', '1.1.1'];
  expect(excludeTags(tags, ['^.*\\.sig$'])).toEqual(['1.0.0', '1.1.0', '1.1.1']);
  expect(excludeTags(tags, ['1\\.1\\.1|1\\.0\\.0', 'abc'])).toEqual(['1.1.0']);
  expect(excludeTags(tags, [])).toEqual(tags);
});

test('a pattern that is none is named', () => {
  expect(() => excludeTags([], ['ok', '['])).toThrow(PolicyError);
  expect(() => excludeTags([], ['ok', '['])).toThrow(
    /pattern of spec\.exclusionList '\[' is invalid: missing closing \]/,
  );
});

test.each([
  ['$1-$2', 'a-b'],
  // biome-ignore lint/suspicious/noTemplateCurlyInString: a template of Go's
  ['${1}x', 'ax'],
  ['$1x', ''],
  ['$x', 'b'],
  // biome-ignore lint/suspicious/noTemplateCurlyInString: a template of Go's
  ['${x}y', 'by'],
  ['$$1', '$1'],
  ['$', '$'],
  ['a$ b', 'a$ b'],
  ['${1', '${1'],
  ['$3', ''],
  ['$01', ''],
  ['$toString', ''],
  ['$constructor$__proto__', ''],
  ['$0', 'ab'],
])('the template %s gives "%s"', (template, expected) => {
  const captures = parsePattern('(a)(?P<x>b)', 'pattern').find('ab');
  expect(captures && expandTemplate(template, captures)).toBe(expected);
});
