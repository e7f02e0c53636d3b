import { normaliseRepository } from '../core/repository.ts';
import { defined, Hash, isDeployable, isZero, oneLine, Ref, repositoriesOf, Text } from './fields.ts';
import { readPayload } from './payload-error.ts';
import type { PullRequestEvent, Push, Received } from './receiver.ts';
import * as s from './shape.ts';

const Repository = s.object({
  slug: s.string().min(1),
  project: s.object({ key: s.string().min(1) }),
  links: s
    .object({
      clone: s.array(s.object({ href: s.string() })).nullish(),
      self: s.array(s.object({ href: Text }).nullable()).nullish(),
    })
    .nullish(),
});

const Actor = s.object({ name: Text, displayName: Text, emailAddress: Text }).nullish();

const Change = s.object({
  refId: Ref,
  fromHash: Hash,
  toHash: Hash,
  type: s.oneOf('ADD', 'UPDATE', 'DELETE'),
});

const PushPayload = s.object({
  actor: Actor,
  repository: Repository,
  changes: s.array(Change, { max: 1_000 }),
});

const End = s.object({ id: Ref, latestCommit: Hash, repository: Repository });

const PullRequestPayload = s.object({
  actor: Actor,
  pullRequest: s.object({
    id: s.count(),
    title: s.string(),
    fromRef: End,
    toRef: End,
    author: s.object({ user: Actor }).nullish(),
    links: s.object({ self: s.array(s.object({ href: Text }).nullable()).nullish() }).nullish(),
  }),
});

const ACTIONS: Readonly<Record<string, PullRequestEvent['action']>> = {
  'pr:opened': 'opened',
  'pr:from_ref_updated': 'updated',
  'pr:modified': 'updated',
  'pr:merged': 'merged',
  'pr:declined': 'closed',
  'pr:deleted': 'closed',
};

/** Reads `repo:refs_changed` of Bitbucket Server: one push for every branch and tag that changed. */
export function parseServerPush(payload: unknown): Received {
  const { actor, changes, repository } = readPayload(PushPayload, payload);
  const repositories = repositoriesOf(urlsOf(repository));
  const pushes = changes
    .filter(({ refId }) => isDeployable(refId))
    .map((change): Push => {
      const deleted = change.type === 'DELETE' || isZero(change.toHash);
      return defined({
        repositories,
        project: projectOf(repository),
        ref: change.refId,
        commit: deleted ? '' : change.toHash,
        created: change.type === 'ADD',
        deleted,
        pusher: actorName(actor),
      });
    });
  return pushes.length > 0 ? { kind: 'push', pushes } : { kind: 'ignored', why: 'no branch or tag changed' };
}

/** Reads `pr:*` of Bitbucket Server. */
export function parseServerPullRequest(event: string, payload: unknown): Received {
  const action = Object.hasOwn(ACTIONS, event) ? ACTIONS[event] : undefined;
  if (!action) return { kind: 'ignored', why: 'this event changes nothing that is deployed' };
  const { actor, pullRequest: pull } = readPayload(PullRequestPayload, payload);
  return {
    kind: 'pull-request',
    pullRequest: {
      action,
      number: String(pull.id),
      title: oneLine(pull.title),
      author: actorName(pull.author?.user) ?? actorName(actor) ?? '',
      url: pull.links?.self?.[0]?.href ?? '',
      repositories: repositoriesOf(urlsOf(pull.toRef.repository)),
      project: projectOf(pull.toRef.repository),
      base: { ref: pull.toRef.id, commit: pull.toRef.latestCommit },
      head: {
        ref: pull.fromRef.id,
        commit: pull.fromRef.latestCommit,
        project: projectOf(pull.fromRef.repository),
      },
    },
  };
}

function projectOf(repository: s.output<typeof Repository>): string {
  return `${repository.project.key}/${repository.slug}`;
}

/** Older versions send no clone links; the HTTP one follows from the page's address. */
function urlsOf(repository: s.output<typeof Repository>): (string | undefined)[] {
  const clone = (repository.links?.clone ?? []).map(({ href }) => href);
  if (clone.some((href) => normaliseRepository(href) !== undefined)) return clone;
  const page = /^(.*)\/(?:projects|users)\/[^/]+\/repos\/[^/]+(?:\/browse)?\/?$/;
  return (repository.links?.self ?? []).map((link) => {
    const base = page.exec(link?.href ?? '')?.[1];
    return base === undefined ? undefined : `${base}/scm/${repository.project.key}/${repository.slug}.git`;
  });
}

function actorName(actor: s.output<typeof Actor>): string | undefined {
  const name = actor?.name || actor?.displayName || '';
  return name === '' ? undefined : oneLine(name);
}
