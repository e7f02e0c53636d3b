import { afterAll, beforeAll, expect, test } from 'vitest';
import { CLUSTER_WRITE, type CrashStories, openCrashStories } from '../support/crash-stories.ts';
import type { Death } from '../support/doom.ts';

let stories: CrashStories;
beforeAll(async () => {
  stories = await openCrashStories();
});
afterAll(() => stories?.close());

test('a process that is killed before or after any of its writes leaves nothing that the next one does not put right', async () => {
  const unharmed = await stories.whole([]);
  const most = Math.max(...unharmed.map(({ length }) => length));
  expect(most).toBeGreaterThan(50);
  const failures: string[] = [];
  const attempt = (at: number, when: Death['when']) => {
    const place = { at, when };
    return stories.whole([place, place, place]).catch((error: Error) => void failures.push(error.message));
  };
  for (let at = 1; at <= most; at++) {
    await attempt(at, 'after');
    // Writes to the cluster are made side by side: one may be cut off while its neighbours are carried out.
    if (unharmed.some((writes) => CLUSTER_WRITE.test(writes[at - 1] ?? ''))) await attempt(at, 'before');
  }
  expect(failures).toEqual([]);
}, 1_800_000);
