import {
  defined,
  Hash,
  isDeployable,
  isZero,
  oneLine,
  Person,
  pageUrl,
  personText,
  Ref,
  repositoriesOf,
  Text,
} from './fields.ts';
import { mergedPullRequest } from './merged-pull-request.ts';
import { readPayload } from './payload-error.ts';
import type { PullRequestEvent, Push, Received, ReceiverType } from './receiver.ts';
import * as s from './shape.ts';
import { verifyToken } from './signature.ts';

const Project = s.object({
  path_with_namespace: s.string().min(1),
  git_http_url: Text,
  git_ssh_url: Text,
  web_url: Text,
});

const PushPayload = s.object({
  object_kind: s.oneOf('push', 'tag_push'),
  ref: Ref,
  before: Hash.nullish(),
  after: Hash,
  /** The commit that was checked out: for an annotated tag what it points at; null for deletions. */
  checkout_sha: Hash.nullish(),
  user_username: Text,
  user_name: Text,
  project: Project,
  commits: s.array(s.object({ id: Hash, message: Text, url: Text, author: Person })).nullish(),
});

const MergeRequestPayload = s.object({
  object_kind: s.oneOf('merge_request'),
  user: s.object({ username: Text, name: Text }).nullish(),
  project: Project,
  object_attributes: s.object({
    iid: s.count(),
    title: s.string(),
    url: Text,
    action: Text,
    source_branch: Ref,
    target_branch: Ref,
    last_commit: s.object({ id: Hash, author: Person }),
    source: s.object({ path_with_namespace: Text }).nullish(),
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
    const kind = readPayload(s.object({ object_kind: Text, event_name: Text }), payload);
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

function urlsOf(project: s.output<typeof Project>) {
  return [project.git_http_url, project.git_ssh_url, project.web_url];
}
