import { beforeEach, expect, test } from 'vitest';
import { parseRefs } from '../../../lib/git/refs.ts';
import { createVisibility, type Sighting } from '../../../lib/source/git-visibility.ts';

const [OLD, NEW, OTHER, TAG] = ['a', 'b', 'c', 'd'].map((letter) => letter.repeat(40)) as [
  string,
  string,
  string,
  string,
];

let now = 0;
let decide: ReturnType<typeof createVisibility>;
let asked: string[];

beforeEach(() => {
  now = 1_000_000;
  decide = createVisibility(() => now);
  asked = [];
});

/** A push of `expected` while the server shows `shown`; `_held` is what we hold, which must not matter. */
function look(
  expected: string,
  shown: string | undefined,
  _held: string,
  { ancestors = [], ...options }: Partial<Sighting> & { ancestors?: string[] } = {},
) {
  const resolved =
    shown === undefined
      ? undefined
      : { revision: `main@sha1:${shown}`, commit: shown, ref: 'refs/heads/main' };
  return decide({
    key: 'apps/repo',
    expected,
    resolved,
    refs: parseRefs(shown === undefined ? '' : `${shown}\trefs/heads/main`),
    pushedAt: undefined,
    isAncestor: async (head) => {
      asked.push(head);
      return ancestors.includes(expected);
    },
    ...options,
  });
}

test('the commit is there: go on', async () => {
  expect(await look(NEW, NEW, OLD)).toBe('go-on');
  expect(asked).toEqual([]);
});

test('the old head is never taken for the result of a push', async () => {
  expect(await look(NEW, OLD, OLD)).toEqual({ waitMs: 1_000 });
  now += 2_000;
  expect(await look(NEW, OLD, OLD)).toEqual({ waitMs: 1_000 });
  now += 8_000;
  expect(await look(NEW, OLD, OLD)).toEqual({ waitMs: 5_000 });
  expect(await look(NEW, NEW, OLD)).toBe('go-on');
});

test('a ref that does not exist yet is waited for', async () => {
  expect(await look(NEW, undefined, '')).toEqual({ waitMs: 1_000 });
});

test('an older delivery that comes late goes on with the newer head', async () => {
  expect(await look(OLD, NEW, '', { ancestors: [OLD] })).toBe('go-on');
});

test('a late delivery of a push that is long behind the head that we hold ends at once', async () => {
  expect(await look(OLD, NEW, NEW, { ancestors: [OLD] })).toBe('go-on');
});

test('a head on another line of history is not believed at once, and its history is fetched once', async () => {
  expect(await look(NEW, OTHER, OLD)).toEqual({ waitMs: 1_000 });
  expect(await look(NEW, OTHER, OLD)).toEqual({ waitMs: 1_000 });
  expect(asked).toEqual([OTHER]);
});

test('after a minute the server is believed: the push was undone by another one', async () => {
  await look(NEW, OLD, OLD);
  now += 59_999;
  expect(await look(NEW, OLD, OLD)).toEqual({ waitMs: 10_000 });
  now += 1;
  expect(await look(NEW, OLD, OLD)).toBe('go-on');
});

test('the minute counts from the push where its time is known, whichever worker looks', async () => {
  expect(await look(NEW, OLD, OLD, { pushedAt: now - 60_000 })).toBe('go-on');
  expect(await look(NEW, OLD, OLD, { pushedAt: now - 30_000 })).toEqual({ waitMs: 10_000 });
});

test('a clock that runs behind that of the receiver makes nobody wait longer', async () => {
  expect(await look(NEW, OLD, OLD, { pushedAt: now + 600_000 })).toEqual({ waitMs: 1_000 });
  now += 60_000;
  expect(await look(NEW, OLD, OLD, { pushedAt: now + 540_000 })).toBe('go-on');
});

test('A to B and back to A ends at once when the second A is announced', async () => {
  expect(await look(NEW, OLD, OLD)).not.toBe('go-on');
  expect(await look(OLD, OLD, OLD)).toBe('go-on');
});

test('an annotated tag is announced by its own id', async () => {
  const refs = parseRefs(`${TAG}\trefs/tags/v1\n${NEW}\trefs/tags/v1^{}`);
  expect(await look(TAG, NEW, OLD, { refs })).toBe('go-on');
});

test('for a range of versions a new tag need not be the newest', async () => {
  const refs = parseRefs(`${OLD}\trefs/tags/v2.0.0\n${NEW}\trefs/tags/v1.9.9`);
  expect(await look(NEW, OLD, OLD, { refs })).toBe('go-on');
});
