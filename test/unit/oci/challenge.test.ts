import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseChallenges } from '../../../lib/oci/challenge.ts';

test.each([
  [
    'Bearer realm="https://auth.docker.io/token",service="registry.docker.io",scope="repository:a/b:pull,push"',
    [
      [
        'bearer',
        {
          realm: 'https://auth.docker.io/token',
          service: 'registry.docker.io',
          scope: 'repository:a/b:pull,push',
        },
      ],
    ],
  ],
  ['Basic realm="tests"', [['basic', { realm: 'tests' }]]],
  ['BASIC', [['basic', {}]]],
  ['Basic realm="a, Bearer realm=b"', [['basic', { realm: 'a, Bearer realm=b' }]]],
  [
    'Bearer realm="https://a/",service=x, Basic realm="y"',
    [
      ['bearer', { realm: 'https://a/', service: 'x' }],
      ['basic', { realm: 'y' }],
    ],
  ],
  ['Bearer realm = "https://a/\\"b\\""', [['bearer', { realm: 'https://a/"b"' }]]],
  ['Bearer realm="https://first/", realm="https://second/"', [['bearer', { realm: 'https://first/' }]]],
  ['', []],
  ['"', []],
  ['Bearer realm="never closed', [['bearer', {}]]],
])('%s', (header, expected) => {
  expect(parseChallenges(header).map(({ scheme, parameters }) => [scheme, { ...parameters }])).toEqual(
    expected,
  );
});

test('any text is parsed to an end, and no parameter reaches a prototype', () => {
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.stringMatching(/^[A-Za-z ,="\\_]{0,60}$/)), (text) => {
      for (const { parameters } of parseChallenges(text))
        expect(Object.getPrototypeOf(parameters)).toBe(null);
    }),
  );
  expect(parseChallenges('Bearer __proto__="x"')[0]?.parameters.toString).toBeUndefined();
});

test('a header of megabytes is not looked at', () => {
  expect(parseChallenges(`Bearer ${'a="b",'.repeat(1_000_000)}`)).toEqual([]);
});
