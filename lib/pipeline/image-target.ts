import { ReconcileError } from '../core/errors.ts';
import { describe } from '../core/object.ts';
import { isRefName } from '../git/refs.ts';
import { type WantedRef, wantedRef } from '../source/git-ref.ts';
import type { GitRepository } from '../toolkit/git-repository.ts';
import type { ImageUpdateAutomation } from '../toolkit/image-update-automation.ts';
import { parseToolkitObject } from '../toolkit/parse.ts';
import { SOURCE_GROUP } from './load-source.ts';
import type { ToolkitRef } from './object-key.ts';
import type { Run } from './run.ts';
import type { WithStatus } from './status.ts';

/** Where an automation reads and where it writes. */
export interface ImageTarget {
  sourceRef: ToolkitRef;
  source: GitRepository;
  git: NonNullable<ImageUpdateAutomation['spec']['git']>;
  /** What is checked out. */
  wanted: WantedRef;
  /** The branch that is written to, without `refs/heads/`. */
  branch: string;
  /** Another branch than the one that is checked out: it is made anew from that one each time. */
  isSeparate: boolean;
  /** A further ref that the commit is pushed to. */
  alsoTo: { name: string; force: boolean } | undefined;
  /** Whether the source itself follows the branch, so that it is to be fetched after a push. */
  isFollowed: boolean;
}

/**
 * Finds it out from the spec and the GitRepository.
 * @throws ReconcileError `AccessDenied` or `InvalidSourceConfiguration` (stall); `SourceManagerFailed` while there is no such GitRepository
 */
export async function imageTarget(run: Run, automation: ImageUpdateAutomation): Promise<ImageTarget> {
  const { spec, metadata } = automation;
  const { git } = spec;
  const namespace = metadata.namespace ?? '';
  if (!git)
    throw invalid(
      run,
      'spec.git is missing: say at least who is the author of commits (spec.git.commit.author)',
    );
  const sourceRef: ToolkitRef = {
    group: SOURCE_GROUP,
    kind: 'GitRepository',
    namespace: spec.sourceRef.namespace ?? namespace,
    name: spec.sourceRef.name,
  };
  const { config } = run.cluster;
  if (config.noCrossNamespaceRefs && sourceRef.namespace !== namespace) {
    const why = `cluster ${config.name} allows no references to other namespaces`;
    throw new ReconcileError(
      'AccessDenied',
      `${describe(run.ref)} can't use ${describe(sourceRef)}: ${why}`,
      {
        outcome: 'stall',
      },
    );
  }
  const source = await readSource(run, sourceRef);
  const ref = git.checkout?.ref ?? source.spec.ref;
  const wanted = wantedRef(ref === undefined ? {} : { ref });
  if (typeof wanted === 'string') throw invalid(run, wanted);
  const branch = git.push?.branch ?? ref?.branch;
  if (!branch) {
    throw invalid(
      run,
      'there is no branch to push to: set spec.git.push.branch, or a branch in spec.git.checkout.ref or in spec.ref of the GitRepository',
    );
  }
  if (!isRefName(`refs/heads/${branch}`))
    throw invalid(run, `${JSON.stringify(branch)} is no name of a branch`);
  const followed = wantedRef(source.spec);
  const isCheckedOut = wanted.kind === 'ref' && wanted.ref === `refs/heads/${branch}`;
  return {
    sourceRef,
    source,
    git,
    wanted,
    branch,
    isSeparate: !isCheckedOut && branch !== (ref === undefined ? 'master' : ref.branch),
    alsoTo: git.push?.refspec ? readRefspec(run, git.push.refspec, branch) : undefined,
    isFollowed:
      typeof followed !== 'string' && followed.kind === 'ref' && followed.ref === `refs/heads/${branch}`,
  };
}

async function readSource(run: Run, ref: ToolkitRef): Promise<GitRepository> {
  const object = await run.client.get<WithStatus>({ ...ref, version: 'v1' });
  if (!object) {
    const message = `${describe(ref)}, which spec.sourceRef of ${describe(run.ref)} names, does not exist`;
    throw new ReconcileError('SourceManagerFailed', message, { outcome: 'retry' });
  }
  const parsed = parseToolkitObject(object);
  if (parsed.ok) return parsed.object as GitRepository;
  const problems = parsed.errors.map(({ message }) => message).join('; ');
  throw new ReconcileError('SourceManagerFailed', `${describe(ref)}: ${problems}`, { outcome: 'retry' });
}

/**
 * `<from>:<to>`, with a `+` before it to overwrite. What is pushed is the commit that was just made, so only the branch itself or HEAD can stand
 * on its left. https://git-scm.com/book/en/v2/Git-Internals-The-Refspec
 */
function readRefspec(run: Run, refspec: string, branch: string): { name: string; force: boolean } {
  const force = refspec.startsWith('+');
  const [from = '', to = '', ...rest] = refspec.slice(force ? 1 : 0).split(':');
  const known = ['HEAD', branch, `refs/heads/${branch}`];
  if (rest.length > 0 || !known.includes(from))
    throw invalid(
      run,
      `spec.git.push.refspec ${JSON.stringify(refspec)} must begin with one of ${known.join(', ')} and a colon`,
    );
  const name = to.startsWith('refs/') ? to : `refs/heads/${to}`;
  if (to === '' || !isRefName(name))
    throw invalid(run, `spec.git.push.refspec ${JSON.stringify(refspec)} names no ref to push to`);
  return { name, force };
}

/**
 * `spec.update.path` without what means nothing; empty for the whole repository.
 * @throws ReconcileError `UpdateFailed` (stall) for a path that leads out
 */
export function pathOfUpdate(automation: ToolkitRef, path = ''): string {
  const parts = path.split('/').filter((part) => part !== '' && part !== '.');
  if (!parts.includes('..')) return parts.join('/');
  throw new ReconcileError(
    'UpdateFailed',
    `${describe(automation)}: spec.update.path ${JSON.stringify(path)} leads out of the repository`,
    { outcome: 'stall' },
  );
}

/** A spec that only a change of the object can mend. */
export function invalid(run: Run, problem: string): ReconcileError {
  return new ReconcileError('InvalidSourceConfiguration', `${describe(run.ref)}: ${problem}`, {
    outcome: 'stall',
  });
}
