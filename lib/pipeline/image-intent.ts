import { sha256 } from '../core/digest.ts';
import { isRecentAncestor } from '../git/ancestry.ts';
import type { ChosenImage } from '../image/setters.ts';
import type { MarkedPlace } from '../image/update-files.ts';
import type { RepositoryAccess } from '../source/git-access.ts';
import type { SharedPartition } from '../store/partitions.ts';
import type { Context } from './context.ts';
import { explaining, type Heads } from './image-checkout.ts';
import { rememberPlaces } from './image-memory.ts';
import type { Run } from './run.ts';

/** Places and what they hold once an update is pushed. */
export interface WrittenPlaces {
  places: MarkedPlace[];
  /** By policy. */
  images: ReadonlyMap<string, ChosenImage>;
}

/**
 * A commit that is about to be pushed. Should the process die before it has noted what the commit has written, and somebody take the commit
 * back before the next run, that run could not tell that its images were there already, and would set them again.
 */
interface Intent {
  commit: string;
  places: MarkedPlace[];
  images: [policy: string, image: ChosenImage][];
}

const PARTITION: SharedPartition = 'image-pushes';
/** What is beyond is set again, should all of that come together. */
const MAX_PLACES = 1_000;

/** Notes what a commit will have written once it is pushed. */
export async function noteIntent(
  ctx: Context,
  branch: string,
  commit: string,
  { places, images }: WrittenPlaces,
): Promise<void> {
  const value: Intent = { commit, places: places.slice(0, MAX_PLACES), images: [...images] };
  await ctx.index.rows.put(PARTITION, rowOf(branch), value);
}

/** What was meant is remembered by now, or was never pushed. */
export async function dropIntent(ctx: Context, branch: string): Promise<void> {
  await ctx.index.rows.delete(PARTITION, rowOf(branch));
}

/**
 * Remembers what an earlier run has written but did not live to note: its commit is part of the branch.
 * @param branch repository and branch
 */
export async function settleIntent(
  run: Run,
  branch: string,
  access: RepositoryAccess,
  { checkout }: Heads,
): Promise<void> {
  const intent = (await run.ctx.index.rows.get<Intent>(PARTITION, rowOf(branch)))?.value;
  if (!intent) return;
  const { commit: ancestor, places, images } = intent;
  const head = checkout.commit;
  const place = { ...access, commit: head, use: 'history' as const };
  const isPushed =
    ancestor === head ||
    (await explaining(run, () =>
      access.workspace.work(place, (session, gitDir) =>
        isRecentAncestor(session, gitDir, { ancestor, head }),
      ),
    ));
  if (!isPushed) return;
  await rememberPlaces(run.ctx, branch, places, new Map(images));
  await dropIntent(run.ctx, branch);
}

function rowOf(branch: string): string {
  return sha256(`intent ${branch}`);
}
