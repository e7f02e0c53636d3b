import fc from 'fast-check';
import { expect, it } from 'vitest';
import * as z from 'zod';
import * as s from '../../../lib/receive/shape.ts';

/** The same said twice: by our shapes, and by zod's schemas. */
const PAIRS: readonly [name: string, ours: s.Shape<unknown>, zods: z.ZodType][] = [
  ['text', s.string(), z.string()],
  ['bounded text', s.string().min(1).max(3), z.string().min(1).max(3)],
  ['text of a pattern', s.string().regex(/^[ab]+$/), z.string().regex(/^[ab]+$/)],
  ['text that may be null', s.string().nullable(), z.string().nullable()],
  ['text that may be left out', s.string().optional(), z.string().optional()],
  ['text that may be either', s.string().nullish(), z.string().nullish()],
  ['a boolean', s.boolean(), z.boolean()],
  ['a count', s.count(), z.int().positive()],
  ['anything', s.unknown(), z.unknown()],
  ['one of some texts', s.oneOf('a', 'b'), z.enum(['a', 'b'])],
  ['any object', s.record(), z.record(z.string(), z.unknown())],
  ['a bounded list', s.array(s.string(), { min: 1, max: 2 }), z.array(z.string()).min(1).max(2)],
  ['changed text', s.string().transform((text) => text.length), z.string().transform((text) => text.length)],
  [
    'a rule over an object',
    s.object({ a: s.string().nullish(), b: s.string().nullish() }).refine(({ a, b }) => a !== b),
    z.object({ a: z.string().nullish(), b: z.string().nullish() }).refine(({ a, b }) => a !== b),
  ],
  [
    'objects in lists in objects',
    s.object({ a: s.array(s.object({ b: s.string(), c: s.count().nullish() })), b: s.unknown().optional() }),
    z.object({
      a: z.array(z.object({ b: z.string(), c: z.int().positive().nullish() })),
      b: z.unknown().optional(),
    }),
  ],
];

const text = fc.constantFrom('', 'a', 'b', 'ab', 'abc', 'abcd', '\n', '1');
const { value: anyValue } = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 5, withCrossShrink: true },
    text,
    fc.constantFrom(
      null,
      undefined,
      true,
      false,
      0,
      -1,
      1,
      1.5,
      2 ** 53,
      Number.NaN,
      Number.POSITIVE_INFINITY,
    ),
    fc.array(tie('value'), { maxLength: 3 }),
    fc.dictionary(fc.constantFrom('a', 'b', 'c', 'd'), tie('value'), { noNullPrototype: true, maxKeys: 4 }),
  ),
}));

it.each(PAIRS)('reads %s as zod does, and finds the same place wrong', (_name, ours, zods) => {
  fc.assert(
    fc.property(anyValue, (value) => {
      const expected = zods.safeParse(value);
      let read: unknown;
      try {
        read = { value: ours.parse(value) };
      } catch (error) {
        if (!(error instanceof s.ShapeError)) throw error;
        read = error.path;
      }
      expect(read).toStrictEqual(
        expected.success ? { value: expected.data } : (expected.error.issues[0]?.path ?? []).join('.'),
      );
    }),
    { numRuns: 1_000 },
  );
});

it('takes what the second shape fits where the first does not, and says of neither what is wrong with the second', () => {
  const shape = s.either(
    s.object({ image: s.string() }).transform(({ image }) => [image]),
    s.object({ images: s.array(s.string()) }).transform(({ images }) => images),
  );
  expect(shape.parse({ image: 'a', images: ['b'] })).toEqual(['a']);
  expect(shape.parse({ image: 1, images: ['b'] })).toEqual(['b']);
  expect(() => shape.parse({ image: 1, images: ['b', 2] })).toThrow(
    'the value is not as expected at images.1',
  );
  expect(() => shape.parse('a')).toThrow('the value is not as expected');
});

it('reads no member that an object has only inherited', () => {
  const shape = s.object({ constructor: s.unknown(), toString: s.unknown() });
  expect(shape.parse({})).toStrictEqual({});
  expect(s.record().parse(JSON.parse('{"__proto__": {"a": 1}}'))).toStrictEqual(
    JSON.parse('{"__proto__": {"a": 1}}'),
  );
});
