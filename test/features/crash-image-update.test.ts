import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Death } from '../support/doom.ts';
import {
  type ImageCrashStories,
  type Meanwhile,
  openImageCrashStories,
} from '../support/image-crash-stories.ts';

let stories: ImageCrashStories;
beforeAll(async () => {
  stories = await openImageCrashStories();
});
afterAll(() => stories?.close());

test('an update of an image that is killed before or after any of its writes is neither lost nor made twice, goes back to nothing older, and leaves alone what a person takes back', async () => {
  const unharmed = await stories.update(undefined);
  expect(unharmed.filter((name) => name === 'git push')).toHaveLength(1);
  expect(unharmed.length).toBeGreaterThan(10);
  expect(unharmed.at(-1)).toBe('acknowledge cluster');
  const failures: string[] = [];
  const attempt = (at: number, when: Death['when'], meanwhile: Meanwhile) =>
    stories.update({ at, when }, meanwhile).catch((error: Error) => void failures.push(error.message));
  // What a dead process has left behind between two writes is the same, whether it died after the one or before the other.
  for (let at = 1; at <= unharmed.length; at += 1) await attempt(at, 'after', 'nothing');
  const push = unharmed.indexOf('git push') + 1;
  await attempt(push, 'before', 'nothing');
  for (let at = push; at <= unharmed.length; at += 1) {
    await attempt(at, 'after', 'revert');
    await attempt(at, 'after', 'newer');
  }
  expect(failures).toEqual([]);
}, 1_800_000);
