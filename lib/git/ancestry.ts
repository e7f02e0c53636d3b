import { GitError } from './errors.ts';
import { followingRedirects } from './remote.ts';
import type { GitSession } from './session.ts';

/** How far back is looked. */
const DEPTH = 200;

/**
 * Whether a commit is among the newest ancestors of another, as far as 200 generations back.
 * @param gitDir a repository for histories alone: commits come without their trees
 * @param head the newer one, by its full id
 */
export async function isRecentAncestor(
  session: GitSession,
  gitDir: string,
  { ancestor, head }: { ancestor: string; head: string },
): Promise<boolean> {
  const options = [
    '--quiet',
    '--no-tags',
    '--no-write-fetch-head',
    '--no-recurse-submodules',
    '--no-auto-maintenance',
  ];
  const what = `look at the history of ${session.url.href}`;
  try {
    await followingRedirects(session, () =>
      session.git(
        [
          'fetch',
          ...options,
          `--depth=${DEPTH}`,
          '--filter=tree:0',
          '--',
          session.url.href,
          `+${head}:refs/slipway/head`,
        ],
        { what, gitDir },
      ),
    );
  } catch (error) {
    // A server that hands out no commits by id, or no shallow histories, cannot tell us.
    if (error instanceof GitError && (error.fault === 'missing' || error.fault === 'other')) return false;
    throw error;
  }
  const { code } = await session.git(['merge-base', '--is-ancestor', ancestor, head], {
    what,
    gitDir,
    anyCode: true,
  });
  return code === 0;
}
