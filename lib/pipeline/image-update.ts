import { sha256 } from '../core/digest.ts';
import { normaliseRepository } from '../core/repository.ts';
import type { GitSession } from '../git/session.ts';
import { objectionsOf, type PolicyState } from '../image/objections.ts';
import { policyKey, settersOf } from '../image/setters.ts';
import { type Update, updateFiles } from '../image/update-files.ts';
import { FORCE_AT, REQUESTED_AT } from '../toolkit/annotations.ts';
import type { ImageUpdateAutomation } from '../toolkit/image-update-automation.ts';
import { type CheckedOut, type Heads, readCheckout } from './image-checkout.ts';
import type { WrittenPlaces } from './image-intent.ts';
import { rememberPlaces, whoHeld } from './image-memory.ts';
import type { ChosenPolicy } from './image-policies.ts';
import type { ImageTarget } from './image-target.ts';
import type { Run } from './run.ts';

/** What an update would change in what is checked out. */
export interface ImageUpdate extends Update {
  executable: CheckedOut['executable'];
  /** Over the paths and new contents of changed files. */
  digest: string;
}

/** Names a branch of a repository for what is kept of it, the same for all clusters. */
export function branchKey({ source }: ImageTarget, ref: string): string {
  return `${normaliseRepository(source.spec.url) ?? source.spec.url}#${ref}`;
}

/** Works out what would change, and notes which places hold what was chosen. Nothing is written to the repository. */
export async function evaluateUpdate(
  run: Run,
  automation: ImageUpdateAutomation,
  target: ImageTarget,
  policies: readonly ChosenPolicy[],
  { session, gitDir, heads }: { session: GitSession; gitDir: string; heads: Heads },
): Promise<ImageUpdate> {
  const { files, executable } = await readCheckout(
    run,
    session,
    gitDir,
    heads.checkout,
    automation.spec.update.path,
  );
  const branch = branchKey(target, heads.checkout.ref);
  const states = await statesOf(run, automation, branch, policies);
  const images = policies.map(({ object, image }) => ({
    namespace: run.ref.namespace,
    name: object.metadata.name,
    image,
  }));
  const update = updateFiles(files, settersOf(images), objectionsOf(states));
  await rememberPlaces(run.ctx, branch, update.places, imagesOf(states));
  const digests = [...update.files].map(([path, data]) => [path, sha256(data)]);
  return { ...update, executable, digest: sha256(JSON.stringify(digests)) };
}

/** What the changed places hold once an update is pushed. */
export function writtenBy(run: Run, update: ImageUpdate, policies: readonly ChosenPolicy[]): WrittenPlaces {
  const written = new Set(update.written);
  const places = update.places
    .filter(({ key }) => written.has(key))
    .map((place) => ({ ...place, upToDate: true }));
  const images = new Map(
    policies.map(({ object, image }) => [
      policyKey({ namespace: run.ref.namespace, name: object.metadata.name }),
      image,
    ]),
  );
  return { places, images };
}

async function statesOf(
  run: Run,
  automation: ImageUpdateAutomation,
  branch: string,
  policies: readonly ChosenPolicy[],
): Promise<Map<string, PolicyState>> {
  const isForced = asksForForce(automation);
  const entries = policies.map(async ({ object, image }): Promise<[string, PolicyState]> => {
    const key = policyKey({ namespace: run.ref.namespace, name: object.metadata.name });
    const hasHeld = isForced ? () => false : await whoHeld(run.ctx, branch, key, image);
    return [key, { image, selection: object.spec, hasHeld }];
  });
  return new Map(await Promise.all(entries));
}

function imagesOf(states: ReadonlyMap<string, PolicyState>) {
  return new Map([...states].map(([key, { image }]) => [key, image]));
}

/** Whether somebody asked for this very run with force: what was taken back is then set again. */
function asksForForce({ metadata, status }: ImageUpdateAutomation): boolean {
  const { [FORCE_AT]: force, [REQUESTED_AT]: requested } = metadata.annotations ?? {};
  return force !== undefined && force === requested && requested !== status?.lastHandledReconcileAt;
}
