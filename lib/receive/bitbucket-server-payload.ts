import * as v from 'valibot';
import { normaliseRepository } from '../core/repository.ts';
import {
  defined,
  Hash,
  isDeployable,
  isZero,
  NonEmptyString,
  oneLine,
  PullRequestNumber,
  Ref,
  repositoriesOf,
  Text,
} from './fields.ts';
import { jsonObject } from './json-object.ts';
import { readPayload } from './payload-error.ts';
import type { PullRequestEvent, Push, Received } from './receiver.ts';

const Repository = jsonObject({
  slug: NonEmptyString,
  project: jsonObject({ key: NonEmptyString }),
  links: v.nullish(
    jsonObject({
      clone: v.nullish(v.array(jsonObject({ href: v.string() }))),
      self: v.nullish(v.array(v.nullable(jsonObject({ href: Text })))),
    }),
  ),
});

const Actor = v.nullish(jsonObject({ name: Text, displayName: Text, emailAddress: Text }));

const Change = jsonObject({
  refId: Ref,
  fromHash: Hash,
  toHash: Hash,
  type: v.picklist(['ADD', 'UPDATE', 'DELETE']),
});

const PushPayload = jsonObject({
  actor: Actor,
  repository: Repository,
  changes: v.pipe(v.array(Change), v.maxLength(1_000)),
});

const End = jsonObject({ id: Ref, latestCommit: Hash, repository: Repository });

const PullRequestPayload = jsonObject({
  actor: Actor,
  pullRequest: jsonObject({
    id: PullRequestNumber,
    title: v.string(),
    fromRef: End,
    toRef: End,
    author: v.nullish(jsonObject({ user: Actor })),
    links: v.nullish(jsonObject({ self: v.nullish(v.array(v.nullable(jsonObject({ href: Text })))) })),
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

function projectOf(repository: v.InferOutput<typeof Repository>): string {
  return `${repository.project.key}/${repository.slug}`;
}

/** Older versions send no clone links; the HTTP one follows from the page's address. */
function urlsOf(repository: v.InferOutput<typeof Repository>): (string | undefined)[] {
  const clone = (repository.links?.clone ?? []).map(({ href }) => href);
  if (clone.some((href) => normaliseRepository(href) !== undefined)) return clone;
  const page = /^(.*)\/(?:projects|users)\/[^/]+\/repos\/[^/]+(?:\/browse)?\/?$/;
  return (repository.links?.self ?? []).map((link) => {
    const base = page.exec(link?.href ?? '')?.[1];
    return base === undefined ? undefined : `${base}/scm/${repository.project.key}/${repository.slug}.git`;
  });
}

function actorName(actor: v.InferOutput<typeof Actor>): string | undefined {
  const name = actor?.name || actor?.displayName || '';
  return name === '' ? undefined : oneLine(name);
}
