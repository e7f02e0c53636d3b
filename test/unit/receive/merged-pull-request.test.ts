import { describe, expect, it } from 'vitest';
import { mergedPullRequest } from '../../../lib/receive/merged-pull-request.ts';

describe('mergedPullRequest', () => {
  it.each([
    ['Merge pull request #12 from acme/podinfo\n\nAdd podinfo', '12'],
    ['Add podinfo (#7)\n\n* one\n* two', '7'],
    ["Merge pull request 'Add (#3)' (#4) from podinfo into main", '4'],
    ['Merged in podinfo (pull request #5)\n\nAdd podinfo', '5'],
    ['Pull request #6: Add podinfo\n\nMerge in ACME/fleet from podinfo to main', '6'],
    ["Merge branch 'podinfo' into 'main'\n\nAdd podinfo\n\nSee merge request platform/team/fleet!8", '8'],
    ["Merge branch 'x' into 'main'\r\n\r\nSee merge request !9\r\n", '9'],
  ])('reads %j as %s', (message, number) => {
    expect(mergedPullRequest(message)).toBe(number);
  });

  it.each([
    undefined,
    null,
    '',
    'Fix #12',
    'Fix (#12) for good',
    'Revert something\n\n(#12)',
    'Merge pull request #abc from x',
    'See merge request a/b!9',
    'Add (#99999999999999)',
  ])('finds none in %j', (message) => {
    expect(mergedPullRequest(message)).toBeUndefined();
  });

  it('is quick with hostile messages', () => {
    const started = performance.now();
    mergedPullRequest(`Merge pull request '${"' (#".repeat(200_000)}`);
    mergedPullRequest(`x\n${'See merge request '.repeat(100_000)}`);
    // What looks at a part of such a message again and again needs minutes; a busy machine needs half a second.
    expect(performance.now() - started).toBeLessThan(5_000);
  });
});
