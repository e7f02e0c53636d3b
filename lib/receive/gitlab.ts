import * as v from 'valibot';
import {
  defined,
  Hash,
  isDeployable,
  isZero,
  NonEmptyString,
  oneLine,
  Person,
  PullRequestNumber,
  pageUrl,
  personText,
  Ref,
  repositoriesOf,
  Text,
} from './fields.ts';
import { jsonObject } from './json-object.ts';
import { mergedPullRequest } from './merged-pull-request.ts';
import { readPayload } from './payload-error.ts';
import type { PullRequestEvent, Push, Received, ReceiverType } from './receiver.ts';
import { verifyToken } from './signature.ts';

const Project = jsonObject({
  path_with_namespace: NonEmptyString,
  git_http_url: Text,
  git_ssh_url: Text,
  web_url: Text,
});

const PushPayload = jsonObject({
  object_kind: v.picklist(['push', 'tag_push']),
  ref: Ref,
  before: v.nullish(Hash),
  after: Hash,
  /** The commit that was checked out: for an annotated tag what it points at; null for deletions. */
  checkout_sha: v.nullish(Hash),
  user_username: Text,
  user_name: Text,
  project: Project,
  commits: v.nullish(v.array(jsonObject({ id: Hash, message: Text, url: Text, author: Person }))),
});

const MergeRequestPayload = jsonObject({
  object_kind: v.literal('merge_request'),
  user: v.nullish(jsonObject({ username: Text, name: Text })),
  project: Project,
  object_attributes: jsonObject({
    iid: PullRequestNumber,
    title: v.string(),
    url: Text,
    action: Text,
    source_branch: Ref,
    target_branch: Ref,
    last_commit: jsonObject({ id: Hash, author: Person }),
    source: v.nullish(jsonObject({ path_with_namespace: Text })),
  }),
});

const ACTIONS: Readonly<Record<string, PullRequestEvent['action']>> = {
  open: 'opened',
  reopen: 'opened',
  update: 'updated',
  merge: 'merged',
  close: 'closed',
};

/** GitLab. https://docs.gitlab.com/user/project/integrations/webhook_events */
export const gitlab: ReceiverType = {
  proof: (headers) => headers.get('x-gitlab-token'),
  verify: ({ headers }, secrets) => verifyToken(headers.get('x-gitlab-token'), secrets),
  event: (headers) => headers.get('x-gitlab-event') ?? '',
  // The idempotency key stays the same when a webhook is sent again; older versions have the event's UUID alone.
  deliveryId: (headers) => headers.get('idempotency-key') ?? headers.get('x-gitlab-event-uuid') ?? undefined,
  parse(event, payload) {
    const kind = readPayload(jsonObject({ object_kind: Text, event_name: Text }), payload);
    const name = kind.object_kind ?? kind.event_name ?? '';
    if (name === 'push' || name === 'tag_push') return parsePush(payload);
    if (name === 'merge_request') return parseMergeRequest(payload);
    return { kind: 'ignored', why: event === '' ? 'the event is not named' : 'this event deploys nothing' };
  },
};

function parsePush(payload: unknown): Received {
  const named = payload as { object_kind?: unknown; event_name?: unknown };
  const push = readPayload(PushPayload, { ...named, object_kind: named.object_kind ?? named.event_name });
  if (!isDeployable(push.ref)) return { kind: 'ignored', why: 'the ref is neither a branch nor a tag' };
  const deleted = isZero(push.after);
  const commit = deleted ? '' : (push.checkout_sha ?? push.after);
  const head = push.commits?.find(({ id }) => id === commit);
  const result = defined({
    repositories: repositoriesOf(urlsOf(push.project)),
    project: push.project.path_with_namespace,
    ref: push.ref,
    commit,
    created: isZero(push.before ?? ''),
    deleted,
    author: personText(head?.author),
    commitUrl: pageUrl(head?.url),
    pusher: push.user_username || push.user_name || undefined,
    pullRequest: mergedPullRequest(head?.message),
  }) satisfies Push;
  return { kind: 'push', pushes: [result] };
}

function parseMergeRequest(payload: unknown): Received {
  const { object_attributes: request, project, user } = readPayload(MergeRequestPayload, payload);
  const action = ACTIONS[request.action ?? ''];
  if (!action) return { kind: 'ignored', why: 'this action changes nothing that is deployed' };
  return {
    kind: 'pull-request',
    pullRequest: {
      action,
      number: String(request.iid),
      title: oneLine(request.title),
      author: user?.username || user?.name || '',
      url: request.url ?? '',
      repositories: repositoriesOf(urlsOf(project)),
      project: project.path_with_namespace,
      base: { ref: `refs/heads/${request.target_branch}`, commit: '' },
      head: {
        ref: `refs/heads/${request.source_branch}`,
        commit: request.last_commit.id,
        project: request.source?.path_with_namespace ?? '',
      },
    },
  };
}

function urlsOf(project: v.InferOutput<typeof Project>) {
  return [project.git_http_url, project.git_ssh_url, project.web_url];
}
