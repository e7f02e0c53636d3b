import fc from 'fast-check';
import * as v from 'valibot';
import { describe, expect, it, test } from 'vitest';
import * as z from 'zod';
import { CdEvent } from '../../../lib/receive/cdevent.ts';
import { Hash, NonEmptyString, PullRequestNumber, Ref, Text } from '../../../lib/receive/fields.ts';
import { JsonObject, jsonObject } from '../../../lib/receive/json-object.ts';
import { PayloadError, readPayload } from '../../../lib/receive/payload-error.ts';
import { generic } from '../../../lib/receive/registries/generic.ts';

/** What is read of a value, or the error's message. */
function outcome(schema: v.GenericSchema, value: unknown): unknown {
  try {
    return { read: readPayload(schema, value) };
  } catch (error) {
    if (!(error instanceof PayloadError)) throw error;
    return error.message;
  }
}

const WRONG = 'the payload is not as expected';

describe('reading a payload', () => {
  it('tells null from what is left out, and leaves out what nobody asked for', () => {
    const schema = jsonObject({ a: Text, b: Text, c: v.optional(Text) });
    expect(readPayload(schema, { a: null, other: 1 })).toStrictEqual({ a: null });
    expect(readPayload(schema, { a: undefined, b: 'b' })).toStrictEqual({ a: undefined, b: 'b' });
    expect(outcome(jsonObject({ a: v.optional(NonEmptyString) }), { a: null })).toBe(`${WRONG} at a`);
  });

  it('names the first field that is wrong, and never what it holds', () => {
    const schema = jsonObject({
      first: v.nullish(jsonObject({ id: PullRequestNumber })),
      list: v.array(jsonObject({ hash: Hash, kind: v.picklist(['a', 'b']) })),
      last: NonEmptyString,
    });
    const hash = 'a'.repeat(40);
    for (const [value, message] of [
      ['secret', WRONG],
      [{ first: { id: 'secret' }, list: 'secret' }, `${WRONG} at first.id`],
      [
        {
          list: [
            { hash, kind: 'a' },
            { hash, kind: 'secret' },
          ],
          last: '',
        },
        `${WRONG} at list.1.kind`,
      ],
      [{ list: [{ hash: `secret${hash}` }] }, `${WRONG} at list.0.hash`],
      [{ list: [], last: '' }, `${WRONG} at last`],
      [{ list: [] }, `${WRONG} at last`],
    ] as const)
      expect(outcome(schema, value)).toBe(message);
  });

  it('takes no list for an object', () => {
    const schema = jsonObject({ a: Text, any: v.nullish(JsonObject) });
    expect(readPayload(schema, { any: { b: [] } })).toStrictEqual({ any: { b: [] } });
    expect(outcome(schema, [])).toBe(WRONG);
    for (const any of [[], [{}], '', 1, true]) expect(outcome(schema, { any })).toBe(`${WRONG} at any`);
  });

  it('is not harmed by members that are named as parts of prototypes', () => {
    const evil: unknown = JSON.parse(
      '{"__proto__": {"a": "evil"}, "constructor": {"prototype": {"a": "evil"}}, "any": {"__proto__": {"b": "evil"}}}',
    );
    const read = readPayload(jsonObject({ a: Text, any: JsonObject }), evil);
    expect(Object.getPrototypeOf(read)).toBe(Object.prototype);
    expect(Object.getPrototypeOf(read.any)).toBe(Object.prototype);
    expect({ a: read.a, b: read.any.b }).toEqual({ a: undefined, b: undefined });
    expect(({} as { a?: unknown }).a).toBeUndefined();
  });
});

test('a hash is read in lower case, and a ref has 1 to 1,024 characters', () => {
  expect(readPayload(Hash, 'AbCdEf0123'.repeat(4))).toBe('abcdef0123'.repeat(4));
  expect(readPayload(Hash, 'F'.repeat(64))).toBe('f'.repeat(64));
  for (const hash of ['f'.repeat(39), 'f'.repeat(41), 'g'.repeat(40), `${'f'.repeat(40)}\n`, null])
    expect(outcome(Hash, hash)).toBe(WRONG);
  expect(readPayload(Ref, 'r'.repeat(1_024))).toHaveLength(1_024);
  for (const ref of ['', 'r'.repeat(1_025)]) expect(outcome(Ref, ref)).toBe(WRONG);
});

test('the number of a pull request is a whole one above zero that is held exactly', () => {
  for (const number of [1, Number.MAX_SAFE_INTEGER])
    expect(readPayload(PullRequestNumber, number)).toBe(number);
  for (const number of [0, -1, 1.5, 2 ** 53, Number.NaN, Number.POSITIVE_INFINITY, '1', null])
    expect(outcome(PullRequestNumber, number)).toBe(WRONG);
});

test('images are named by one or by a list of 1 to 1,000', () => {
  const image = 'ghcr.io/acme/app:1';
  const read = (payload: unknown) => generic.parse(new Headers(), payload, 'ghcr.io').kind;
  expect([{ image }, { image: 1, images: [image] }, { images: Array(1_000).fill(image) }].map(read)).toEqual([
    'push',
    'push',
    'push',
  ]);
  for (const payload of [{}, { image: 1 }, { images: [] }, { images: [image, 1] }, [image]])
    expect(() => read(payload)).toThrow(new PayloadError(WRONG));
  expect(() => read({ images: Array(1_001).fill(image) })).toThrow(new PayloadError(WRONG));
});

describe('the timestamp of a CDEvent', () => {
  const messageFor = (timestamp: unknown) => {
    const context = { version: '0.4.1', id: '1', source: '/ci', type: 'dev.cdevents.x.y.1.0.0', timestamp };
    return outcome(CdEvent, { context, subject: { id: '1', content: {} } });
  };

  it.each([
    '2026-02-29T10:00:00Z',
    '2026-01-32T10:00:00Z',
    '2026-04-31T10:00:00Z',
    '2026-01-01T24:00:00Z',
    '2026-01-01T10:00Z',
    '2026-01-01 10:00:00Z',
    '2026-01-01T10:00:00+0200',
    '2026-01-01T10:00:00',
    '',
    null,
  ])('is not %s', (timestamp) => {
    expect(messageFor(timestamp)).toBe(`${WRONG} at context.timestamp`);
  });

  it('is one that zod, by which the other schemas are made, takes for a date-time as well', () => {
    const zods = z.iso.datetime({ offset: true });
    // What lies at the bounds of a field, and beyond them.
    const field = (...values: string[]) => fc.constantFrom(...values);
    const day = fc.tuple(
      field('0000', '1900', '2000', '2024', '2026', '9999'),
      field('00', '01', '02', '04', '12', '13'),
      field('00', '01', '28', '29', '30', '31', '32'),
    );
    const time = fc.tuple(
      field('00', '23', '24'),
      field('00', '59', '60'),
      field('00', '59', '60', '59.', '59.1', '00.0123456789012'),
    );
    const offset = field('Z', 'z', '', '+00:00', '-23:59', '+24:00', '+01:60', '+0100', ' +01:00');
    fc.assert(
      fc.property(day, field('T', 't', ' '), time, offset, (days, between, times, end) => {
        const text = `${days.join('-')}${between}${times.join(':')}${end}`;
        expect(typeof messageFor(text) === 'object', text).toBe(zods.safeParse(text).success);
      }),
      { numRuns: 2_000 },
    );
  });
});
