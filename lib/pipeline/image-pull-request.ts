import { messageOf, ReconcileError } from '../core/errors.ts';
import { describe } from '../core/object.ts';
import { ForgeError } from '../forge/errors.ts';
import type { Branches, FoundPullRequest, PullRequests } from '../forge/pull-requests.ts';
import { isMarked, markOf, updateText } from '../image/pull-request-text.ts';
import { policyKey } from '../image/setters.ts';
import { PULL_REQUEST } from '../toolkit/annotations.ts';
import { isRoot } from '../toolkit/bootstrap.ts';
import type { ImageUpdateAutomation } from '../toolkit/image-update-automation.ts';
import type { Attempted } from './image-attempt.ts';
import { openRepository } from './image-checkout.ts';
import { type ImageTarget, invalid } from './image-target.ts';
import { projectOf } from './providers.ts';
import type { Run } from './run.ts';
import { step } from './run.ts';

/** What an automation asks for: nothing, an open pull request, or one that is merged when its checks pass. */
export type PullRequestMode = 'none' | 'open' | 'merge';

/** What became of the pull request. */
export interface RequestResult {
  /** For the condition; empty when there is nothing to tell. */
  text: string;
  /** It is to be looked at again, since its checks are not done. */
  isWaiting: boolean;
}

const NOTHING: RequestResult = { text: '', isWaiting: false };

/** Reads the annotation. @throws ReconcileError `InvalidSourceConfiguration` (stall) */
export function pullRequestMode(
  run: Run,
  { metadata }: ImageUpdateAutomation,
  target: ImageTarget,
): PullRequestMode {
  const mode = metadata.annotations?.[PULL_REQUEST];
  if (mode === undefined) return 'none';
  if (mode !== 'open' && mode !== 'merge')
    throw invalid(run, `the annotation ${PULL_REQUEST} must be open or merge, not ${JSON.stringify(mode)}`);
  baseOf(run, target);
  return mode;
}

/** The branch that a request is for. @throws ReconcileError when it would be the same as its own */
function baseOf(run: Run, { wanted, isSeparate }: ImageTarget): string {
  if (isSeparate && wanted.kind === 'ref' && wanted.ref.startsWith('refs/heads/'))
    return wanted.ref.slice('refs/heads/'.length);
  throw invalid(
    run,
    `a pull request (annotation ${PULL_REQUEST}) needs a branch to check out and another one to push to: set spec.git.push.branch`,
  );
}

/**
 * Keeps the one pull request of the branch in step with what was pushed: opens it, updates what it says, closes it when nothing is left to
 * change. One that somebody has closed is not opened again for the same images.
 * @throws ReconcileError `GitOperationFailed`
 */
export async function keepPullRequest(
  run: Run,
  automation: ImageUpdateAutomation,
  target: ImageTarget,
  attempted: Attempted,
  head: string | undefined,
): Promise<RequestResult> {
  const mode = pullRequestMode(run, automation, target);
  if (mode === 'none') return NOTHING;
  const { api, project } = await openApi(run, target);
  const branches = { head: target.branch, base: baseOf(run, target) };
  return step(run, 'pull-request', () =>
    explaining(run, async () => {
      const open = await api.findOpen(project, branches);
      if (attempted.update.files.size === 0) return closeObsolete(api, project, open);
      const request = await openOrUpdate(run, automation, api, project, branches, attempted, open);
      if (typeof request === 'string') return { text: request, isWaiting: false };
      const name = `pull request ${request.number}`;
      if (mode === 'open' || head === undefined) return { text: `${name} is open`, isWaiting: false };
      const state = await api.mergeWhenChecksPass(project, request.number, head);
      if (state === 'merged') return { text: `${name} was merged`, isWaiting: true };
      return { text: `${name} is merged when its checks pass`, isWaiting: state === 'waiting' };
    }),
  );
}

async function closeObsolete(
  api: PullRequests,
  project: string,
  open: FoundPullRequest | undefined,
): Promise<RequestResult> {
  // What somebody has opened by hand is theirs.
  if (!open || !isMarked(open.body)) return NOTHING;
  await api.close(project, open.number);
  return { text: `pull request ${open.number} was closed: nothing is left to change`, isWaiting: false };
}

/** @returns why there is none, in words */
async function openOrUpdate(
  run: Run,
  { metadata }: ImageUpdateAutomation,
  api: PullRequests,
  project: string,
  branches: Branches,
  { update, policies }: Attempted,
  open: FoundPullRequest | undefined,
): Promise<FoundPullRequest | string> {
  const images = new Map(
    policies.map(({ object, image }) => [
      policyKey({ namespace: run.ref.namespace, name: object.metadata.name }),
      image,
    ]),
  );
  const text = updateText({ name: metadata.name, namespace: run.ref.namespace }, update.changes, images);
  if (open) {
    if (open.title !== text.title || open.body.replaceAll('\r\n', '\n') !== text.body)
      await api.update(project, open.number, text);
    return open;
  }
  const mark = markOf(update.changes);
  const declined = (await api.findDeclined(project, branches)).find(({ body }) => body.includes(mark));
  if (declined)
    return `pull request ${declined.number} with these images was closed; newer ones are waited for`;
  return api.open(project, branches, text);
}

/** With the credential that pushes: it must be allowed to do no more than whoever gave it. */
async function openApi(run: Run, target: ImageTarget): Promise<{ api: PullRequests; project: string }> {
  const { source, sourceRef } = target;
  const found = projectOf(run.ctx, source.spec.url);
  const { provider, project } = found ?? {};
  if (!provider?.pullRequests || project === undefined)
    throw invalid(
      run,
      `no provider of slipway.yaml is for ${source.spec.url}, so that no pull request can be made there`,
    );
  if (isRoot(sourceRef) && source.spec.secretRef === undefined && run.ref.namespace === sourceRef.namespace)
    return { api: provider.pullRequests(), project };
  const { auth } = await openRepository(run, target);
  const token = auth.basic?.password ?? auth.bearer;
  if (token === undefined)
    throw invalid(
      run,
      `pull requests need a token in the secret of ${describe(sourceRef)}, which works with https alone`,
    );
  const username = auth.basic?.username;
  return { api: provider.pullRequests({ token, ...(username === undefined ? {} : { username }) }), project };
}

async function explaining<T>(run: Run, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof ForgeError)) throw error;
    const message = `${describe(run.ref)}: the pull request could not be kept up to date: ${messageOf(error)}`;
    throw new ReconcileError('GitOperationFailed', message, {
      cause: error,
      ...(error.retryAfter === undefined ? {} : { retryAfter: error.retryAfter }),
    });
  }
}
