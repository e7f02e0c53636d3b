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
import type { PullRequestEvent, Push, Received } from './receiver.ts';

const Repository = jsonObject({
  full_name: NonEmptyString,
  clone_url: Text,
  ssh_url: Text,
  git_url: Text,
  html_url: Text,
});

const Account = v.nullish(jsonObject({ login: Text, name: Text, email: Text, username: Text }));

const Commit = jsonObject({ id: Hash, message: Text, url: Text, author: Person, committer: Person });

const PushPayload = jsonObject({
  ref: Ref,
  after: Hash,
  before: v.nullish(Hash),
  created: v.nullish(v.boolean()),
  deleted: v.nullish(v.boolean()),
  head_commit: v.nullish(Commit),
  commits: v.nullish(v.array(Commit)),
  repository: Repository,
  pusher: Account,
  sender: Account,
});

const DeletePayload = jsonObject({
  ref: Ref,
  ref_type: v.string(),
  repository: Repository,
  sender: Account,
});

const End = jsonObject({ ref: Ref, sha: Hash, repo: v.nullish(Repository) });

const PullRequestPayload = jsonObject({
  action: v.string(),
  repository: Repository,
  pull_request: jsonObject({
    number: PullRequestNumber,
    title: v.string(),
    html_url: v.string(),
    merged: v.nullish(v.boolean()),
    user: Account,
    base: End,
    head: End,
  }),
});

/** Actions after which the content of a pull request may differ. Gitea says `synchronized`. */
const ACTIONS: Readonly<Record<string, PullRequestEvent['action']>> = {
  opened: 'opened',
  reopened: 'opened',
  synchronize: 'updated',
  synchronized: 'updated',
  edited: 'updated',
  ready_for_review: 'updated',
  closed: 'closed',
};

/** Reads payloads in GitHub's form, which Gitea, Forgejo and Gogs share. */
export function parseGitHubStyle(event: string, payload: unknown): Received {
  if (event === 'ping') return { kind: 'ping' };
  if (event === 'push') return parsePush(payload);
  if (event === 'pull_request' || event === 'pull_request_sync') return parsePullRequest(payload);
  return { kind: 'ignored', why: 'this event deploys nothing' };
}

function parsePush(payload: unknown): Received {
  const push = readPayload(PushPayload, payload);
  if (!isDeployable(push.ref)) return { kind: 'ignored', why: 'the ref is neither a branch nor a tag' };
  const deleted = push.deleted === true || isZero(push.after);
  const head = push.head_commit ?? push.commits?.find(({ id }) => id === push.after);
  // For an annotated tag `after` is the tag object; the head commit is what it points at.
  const commit = push.ref.startsWith('refs/tags/') && head ? head.id : push.after;
  const result = defined({
    repositories: repositoriesOf(urlsOf(push.repository)),
    project: push.repository.full_name,
    ref: push.ref,
    commit: deleted ? '' : commit,
    created: push.created ?? isZero(push.before ?? ''),
    deleted,
    author: deleted ? undefined : personText(head?.author),
    committer: deleted ? undefined : personText(head?.committer),
    commitUrl: deleted ? undefined : pageUrl(head?.url),
    pusher: accountName(push.pusher) ?? accountName(push.sender),
    pullRequest: deleted ? undefined : mergedPullRequest(head?.message),
  }) satisfies Push;
  return { kind: 'push', pushes: [result] };
}

/** Reads the event of a deleted branch. */
export function parseDeletion(payload: unknown): Received {
  const { ref, ref_type: type, repository, sender } = readPayload(DeletePayload, payload);
  // A deleted tag is told by a push to nothing as well.
  if (type !== 'branch') return { kind: 'ignored', why: 'no branch was deleted' };
  const push = defined({
    repositories: repositoriesOf(urlsOf(repository)),
    project: repository.full_name,
    ref: fullRef(ref),
    commit: '',
    created: false,
    deleted: true,
    pusher: accountName(sender),
  }) satisfies Push;
  return { kind: 'push', pushes: [push] };
}

function parsePullRequest(payload: unknown): Received {
  const { action, pull_request: pull, repository } = readPayload(PullRequestPayload, payload);
  const known = Object.hasOwn(ACTIONS, action) ? ACTIONS[action] : undefined;
  if (!known) return { kind: 'ignored', why: 'this action changes nothing that is deployed' };
  return {
    kind: 'pull-request',
    pullRequest: {
      action: known === 'closed' && pull.merged === true ? 'merged' : known,
      number: String(pull.number),
      title: oneLine(pull.title),
      author: accountName(pull.user) ?? '',
      url: pull.html_url,
      repositories: repositoriesOf(urlsOf(repository)),
      project: repository.full_name,
      base: { ref: fullRef(pull.base.ref), commit: pull.base.sha },
      head: { ref: fullRef(pull.head.ref), commit: pull.head.sha, project: pull.head.repo?.full_name ?? '' },
    },
  };
}

function urlsOf(repository: v.InferOutput<typeof Repository>) {
  return [repository.clone_url, repository.ssh_url, repository.git_url, repository.html_url];
}

function accountName(account: v.InferOutput<typeof Account>): string | undefined {
  const name = account?.login || account?.username || account?.name || '';
  return name === '' ? undefined : oneLine(name);
}

function fullRef(branch: string): string {
  return branch.startsWith('refs/') ? branch : `refs/heads/${branch}`;
}
