import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { formatPath, validate } from '../../../lib/core/validate.ts';

const Schema = z.strictObject({
  name: z.string().min(2).max(4),
  count: z.int().min(1).max(9).default(3),
  mode: z.enum(['on', 'off']).exactOptional(),
  kind: z.literal('X').exactOptional(),
  list: z
    .array(z.strictObject({ path: z.string() }))
    .max(1)
    .exactOptional(),
  labels: z.record(z.string(), z.string()).exactOptional(),
});

function faults(value: unknown): string[] {
  const result = validate(Schema, value);
  return result.ok ? [] : result.problems.map(({ path, message }) => `${formatPath(path)}: ${message}`);
}

describe('validate', () => {
  test('gives the value with its defaults', () => {
    expect(validate(Schema, { name: 'ab' })).toEqual({ ok: true, value: { name: 'ab', count: 3 } });
  });

  test.each<[unknown, string]>([
    [{}, 'name: is required'],
    [{ name: 1 }, 'name: must be a string, not a number'],
    [{ name: null }, 'name: must be a string, not empty'],
    [{ name: ['a'] }, 'name: must be a string, not a list'],
    [{ name: 'a' }, 'name: must have at least 2 characters'],
    [{ name: 'abcde' }, 'name: must have at most 4 characters'],
    [{ name: 'ab', count: 1.5 }, 'count: must be a whole number, not a number'],
    [{ name: 'ab', count: 0 }, 'count: must be at least 1'],
    [{ name: 'ab', count: 10 }, 'count: must be at most 9'],
    [{ name: 'ab', mode: 'of' }, 'mode: must be on or off'],
    [{ name: 'ab', kind: 'Y' }, 'kind: must be X'],
    [{ name: 'ab', list: {} }, 'list: must be a list, not an object'],
    [{ name: 'ab', list: [{ path: 'a' }, { path: 'b' }] }, 'list: must have at most 1 item'],
    [{ name: 'ab', list: [{ path: 'a', pth: 1 }] }, 'list[0].pth: unknown field; did you mean path?'],
    [{ name: 'ab', labels: { 'a.b/c': 1 } }, 'labels["a.b/c"]: must be a string, not a number'],
    [{ name: 'ab', zzz: 1 }, 'zzz: unknown field'],
    ['text', ': must be an object, not a string'],
  ])('says of %j: %s', (value, fault) => {
    expect(faults(value)).toEqual([fault]);
  });

  test('marks unknown keys, one problem each', () => {
    const result = validate(Schema, { name: 'ab', one: 1, two: 2 });
    expect(result).toEqual({
      ok: false,
      problems: [
        { path: ['one'], message: 'unknown field', unknown: true },
        { path: ['two'], message: 'unknown field', unknown: true },
      ],
    });
  });
});
