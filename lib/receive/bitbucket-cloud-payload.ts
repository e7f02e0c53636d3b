import { defined, Hash, oneLine, pageUrl, Ref, repositoriesOf, Text } from './fields.ts';
import { mergedPullRequest } from './merged-pull-request.ts';
import { readPayload } from './payload-error.ts';
import type { PullRequestEvent, Push, Received } from './receiver.ts';
import * as s from './shape.ts';

const Link = s.object({ href: Text }).nullish();

const Repository = s.object({ full_name: s.string().min(1), links: s.object({ html: Link }) });

const Actor = s.object({ nickname: Text, display_name: Text, username: Text }).nullish();

const Target = s.object({
  hash: Hash,
  message: Text,
  links: s.object({ html: Link }).nullish(),
  author: s.object({ raw: Text }).nullish(),
});

const End = s.object({ type: s.string(), name: Ref, target: Target }).nullish();

const PushPayload = s.object({
  actor: Actor,
  repository: Repository,
  push: s.object({ changes: s.array(s.object({ old: End, new: End }), { max: 1_000 }) }),
});

const Branch = s.object({
  branch: s.object({ name: Ref }),
  commit: s.object({ hash: s.string().regex(/^[0-9a-f]{7,64}$/i) }).nullish(),
  repository: Repository.nullish(),
});

const PullRequestPayload = s.object({
  actor: Actor,
  repository: Repository,
  pullrequest: s.object({
    id: s.count(),
    title: s.string(),
    author: Actor,
    links: s.object({ html: Link }).nullish(),
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

function actorName(actor: s.output<typeof Actor>): string | undefined {
  const name = actor?.nickname || actor?.username || actor?.display_name || '';
  return name === '' ? undefined : oneLine(name);
}
