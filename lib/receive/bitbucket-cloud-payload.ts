import * as v from 'valibot';
import {
  defined,
  Hash,
  NonEmptyString,
  oneLine,
  PullRequestNumber,
  pageUrl,
  Ref,
  repositoriesOf,
  Text,
} from './fields.ts';
import { jsonObject } from './json-object.ts';
import { mergedPullRequest } from './merged-pull-request.ts';
import { readPayload } from './payload-error.ts';
import type { PullRequestEvent, Push, Received } from './receiver.ts';

const Link = v.nullish(jsonObject({ href: Text }));

const Repository = jsonObject({ full_name: NonEmptyString, links: jsonObject({ html: Link }) });

const Actor = v.nullish(jsonObject({ nickname: Text, display_name: Text, username: Text }));

const Target = jsonObject({
  hash: Hash,
  message: Text,
  links: v.nullish(jsonObject({ html: Link })),
  author: v.nullish(jsonObject({ raw: Text })),
});

const End = v.nullish(jsonObject({ type: v.string(), name: Ref, target: Target }));

const PushPayload = jsonObject({
  actor: Actor,
  repository: Repository,
  push: jsonObject({ changes: v.pipe(v.array(jsonObject({ old: End, new: End })), v.maxLength(1_000)) }),
});

const Branch = jsonObject({
  branch: jsonObject({ name: Ref }),
  commit: v.nullish(jsonObject({ hash: v.pipe(v.string(), v.regex(/^[0-9a-f]{7,64}$/i)) })),
  repository: v.nullish(Repository),
});

const PullRequestPayload = jsonObject({
  actor: Actor,
  repository: Repository,
  pullrequest: jsonObject({
    id: PullRequestNumber,
    title: v.string(),
    author: Actor,
    links: v.nullish(jsonObject({ html: Link })),
    source: Branch,
    destination: Branch,
  }),
});

const ACTIONS: Readonly<Record<string, PullRequestEvent['action']>> = {
  'pullrequest:created': 'opened',
  'pullrequest:updated': 'updated',
  'pullrequest:fulfilled': 'merged',
  'pullrequest:rejected': 'closed',
};

/** Reads `repo:push` of Bitbucket Cloud: one push for every branch and tag that changed. */
export function parseCloudPush(payload: unknown): Received {
  const { actor, push, repository } = readPayload(PushPayload, payload);
  const repositories = repositoriesOf([repository.links.html?.href]);
  const pushes = push.changes.flatMap((change): Push[] => {
    const end = change.new ?? change.old;
    const refs = end?.type === 'tag' ? 'tags' : end?.type === 'branch' ? 'heads' : undefined;
    if (!end || !refs) return [];
    return [
      defined({
        repositories,
        project: repository.full_name,
        ref: `refs/${refs}/${end.name}`,
        commit: change.new?.target.hash ?? '',
        created: !change.old,
        deleted: !change.new,
        author: change.new?.target.author?.raw || undefined,
        commitUrl: pageUrl(change.new?.target.links?.html?.href),
        pusher: actorName(actor),
        pullRequest: mergedPullRequest(change.new?.target.message),
      }),
    ];
  });
  return pushes.length > 0 ? { kind: 'push', pushes } : { kind: 'ignored', why: 'no branch or tag changed' };
}

/** Reads `pullrequest:*` of Bitbucket Cloud. Its commit hashes may be shortened. */
export function parseCloudPullRequest(event: string, payload: unknown): Received {
  const action = Object.hasOwn(ACTIONS, event) ? ACTIONS[event] : undefined;
  if (!action) return { kind: 'ignored', why: 'this event changes nothing that is deployed' };
  const { actor, pullrequest: pull, repository } = readPayload(PullRequestPayload, payload);
  const { source, destination } = pull;
  return {
    kind: 'pull-request',
    pullRequest: {
      action,
      number: String(pull.id),
      title: oneLine(pull.title),
      author: actorName(pull.author) ?? actorName(actor) ?? '',
      url: pull.links?.html?.href ?? '',
      repositories: repositoriesOf([repository.links.html?.href]),
      project: repository.full_name,
      base: { ref: `refs/heads/${destination.branch.name}`, commit: destination.commit?.hash ?? '' },
      head: {
        ref: `refs/heads/${source.branch.name}`,
        commit: source.commit?.hash ?? '',
        project: source.repository?.full_name ?? '',
      },
    },
  };
}

function actorName(actor: v.InferOutput<typeof Actor>): string | undefined {
  const name = actor?.nickname || actor?.username || actor?.display_name || '';
  return name === '' ? undefined : oneLine(name);
}
