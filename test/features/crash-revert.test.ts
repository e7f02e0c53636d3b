import { afterAll, beforeAll, expect, test } from 'vitest';
import { type CrashStories, openCrashStories } from '../support/crash-stories.ts';

let stories: CrashStories;
beforeAll(async () => {
  stories = await openCrashStories();
});
afterAll(() => stories?.close());

test('an update that is killed at any of its writes and then reverted leaves nothing behind', async () => {
  const most = (await stories.reverted(undefined)).length;
  expect(most).toBeGreaterThan(50);
  const failures: string[] = [];
  for (let at = 1; at <= most; at++)
    await stories.reverted({ at, when: 'after' }).catch((error: Error) => void failures.push(error.message));
  expect(failures).toEqual([]);
}, 1_800_000);
