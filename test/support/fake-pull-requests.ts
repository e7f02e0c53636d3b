import { COMMIT, TOKEN } from './fake-forges.ts';
import type { ForgeAnswer, ForgeRequest } from './forge-server.ts';

/** A pull request as a fake provider keeps it. */
export interface KeptPull {
  number: number;
  title: string;
  body: string;
  head: string;
  base: string;
  state: 'open' | 'closed' | 'merged';
  version: number;
  scheduled: boolean;
}

/** A fake of the part of a provider's API that is about pull requests, with one repository, after its public documentation. */
export interface FakePullRequests {
  project: string;
  pulls: KeptPull[];
  /** What the checks of {@link COMMIT} have come to. */
  checks: 'none' | 'pending' | 'passed' | 'failed';
  answer(request: ForgeRequest): ForgeAnswer;
}

type Body = Record<string, unknown>;
type Route = (
  fake: FakePullRequests,
  match: RegExpExecArray,
  request: ForgeRequest,
  query: URLSearchParams,
) => ForgeAnswer;

function fakeOf(
  project: string,
  authorization: (headers: ForgeRequest['headers']) => boolean,
  routes: [method: string, path: RegExp, Route][],
): FakePullRequests {
  const fake: FakePullRequests = {
    project,
    pulls: [],
    checks: 'none',
    answer(request) {
      if (!authorization(request.headers)) return { status: 401, body: { message: 'Unauthorized' } };
      const { pathname, searchParams } = new URL(request.path, 'http://forge');
      for (const [method, path, route] of routes) {
        const match = request.method === method ? path.exec(pathname) : null;
        if (match) return route(fake, match, request, searchParams);
      }
      return { status: 404, body: { message: 'Not Found' } };
    },
  };
  return fake;
}

function add(fake: FakePullRequests, pull: Pick<KeptPull, 'title' | 'body' | 'head' | 'base'>): KeptPull {
  const made: KeptPull = {
    ...pull,
    number: fake.pulls.length + 1,
    state: 'open',
    version: 0,
    scheduled: false,
  };
  fake.pulls.push(made);
  return made;
}

function pull(fake: FakePullRequests, match: RegExpExecArray): KeptPull {
  const found = fake.pulls.find(({ number }) => String(number) === match[1]);
  if (!found) throw new Error(`there is no pull request ${match[1]}`);
  return found;
}

const bearer = (headers: ForgeRequest['headers']) => headers.authorization === `Bearer ${TOKEN}`;
const ok = (body: unknown): ForgeAnswer => ({ status: 200, body });
const text = (value: unknown) => String(value ?? '');
const newest = (fake: FakePullRequests) => fake.pulls.toReversed();

/** https://docs.github.com/en/rest/pulls/pulls, https://docs.github.com/en/graphql/reference/mutations#enablepullrequestautomerge */
export function fakeGitHubPulls(): FakePullRequests {
  const show = (one: KeptPull): Body => ({
    number: one.number,
    node_id: `PR_${one.number}`,
    title: one.title,
    body: one.body,
    html_url: `https://h/acme/fleet/pull/${one.number}`,
    merged_at: one.state === 'merged' ? '2026-05-01T12:00:00Z' : null,
    auto_merge: one.scheduled ? { merge_method: 'merge' } : null,
  });
  const base = '^/api/v3/repos/acme/fleet';
  return fakeOf('acme/fleet', bearer, [
    ['GET', new RegExp(`${base}$`), () => ok({ allow_auto_merge: true, allow_merge_commit: true })],
    [
      'GET',
      new RegExp(`${base}/pulls$`),
      (fake, _match, _request, query) =>
        ok(
          newest(fake)
            .filter((one) => (one.state === 'open') === (query.get('state') === 'open'))
            .filter((one) => `acme:${one.head}` === query.get('head') && one.base === query.get('base'))
            .map(show),
        ),
    ],
    [
      'POST',
      new RegExp(`${base}/pulls$`),
      (fake, _match, { body = {} }) => ({
        status: 201,
        body: show(
          add(fake, {
            title: text(body.title),
            body: text(body.body),
            head: text(body.head),
            base: text(body.base),
          }),
        ),
      }),
    ],
    ['GET', new RegExp(`${base}/pulls/(\\d+)$`), (fake, match) => ok(show(pull(fake, match)))],
    [
      'PATCH',
      new RegExp(`${base}/pulls/(\\d+)$`),
      (fake, match, { body = {} }) => {
        const one = pull(fake, match);
        if (body.state === 'closed') one.state = 'closed';
        else Object.assign(one, { title: body.title, body: body.body });
        return ok(show(one));
      },
    ],
    [
      'PUT',
      new RegExp(`${base}/pulls/(\\d+)/merge$`),
      (fake, match, { body }) => {
        if (body?.sha !== COMMIT) return { status: 409, body: { message: 'Head branch was modified' } };
        pull(fake, match).state = 'merged';
        return ok({ merged: true });
      },
    ],
    [
      'POST',
      /^\/api\/graphql$/,
      (fake, _match, { body = {} }) => {
        const { id, head } = body.variables as { id: string; head: string };
        if (head !== COMMIT) return ok({ errors: [{ message: 'Head sha was modified' }] });
        // Only with something to wait for does GitHub take the order.
        if (fake.checks !== 'pending')
          return ok({ data: null, errors: [{ message: 'Pull request is in clean status' }] });
        const one = fake.pulls.find(({ number }) => `PR_${number}` === id);
        if (one) one.scheduled = true;
        return ok({ data: { enablePullRequestAutoMerge: {} } });
      },
    ],
    [
      'GET',
      new RegExp(`${base}/commits/${COMMIT}/check-runs$`),
      (fake) =>
        ok(
          fake.checks === 'none'
            ? { total_count: 0, check_runs: [] }
            : {
                total_count: 1,
                check_runs: [
                  { conclusion: { pending: null, passed: 'success', failed: 'failure' }[fake.checks] },
                ],
              },
        ),
    ],
    ['GET', new RegExp(`${base}/commits/${COMMIT}/status$`), () => ok({ total_count: 0, state: 'pending' })],
  ]);
}

/** https://docs.gitlab.com/api/merge_requests/ */
export function fakeGitLabPulls(): FakePullRequests {
  const states = { open: 'opened', closed: 'closed', merged: 'merged' } as const;
  const show = (one: KeptPull): Body => ({
    iid: one.number,
    title: one.title,
    description: one.body,
    web_url: `https://h/platform/team/fleet/-/merge_requests/${one.number}`,
    state: states[one.state],
  });
  const base = '^/api/v4/projects/platform%2Fteam%2Ffleet/merge_requests';
  return fakeOf('platform/team/fleet', (headers) => headers['private-token'] === TOKEN, [
    [
      'GET',
      new RegExp(`${base}$`),
      (fake, _match, _request, query) =>
        ok(
          newest(fake)
            .filter((one) => states[one.state] === query.get('state'))
            .filter(
              (one) => one.head === query.get('source_branch') && one.base === query.get('target_branch'),
            )
            .map(show),
        ),
    ],
    [
      'POST',
      new RegExp(`${base}$`),
      (fake, _match, { body = {} }) => ({
        status: 201,
        body: show(
          add(fake, {
            title: text(body.title),
            body: text(body.description),
            head: text(body.source_branch),
            base: text(body.target_branch),
          }),
        ),
      }),
    ],
    [
      'PUT',
      new RegExp(`${base}/(\\d+)$`),
      (fake, match, { body = {} }) => {
        const one = pull(fake, match);
        if (body.state_event === 'close') one.state = 'closed';
        else Object.assign(one, { title: body.title, body: body.description });
        return ok(show(one));
      },
    ],
    [
      'GET',
      new RegExp(`${base}/(\\d+)/pipelines$`),
      (fake) => ok(fake.checks === 'none' ? [] : [{ id: 1, sha: COMMIT, status: PIPELINES[fake.checks] }]),
    ],
    [
      'PUT',
      new RegExp(`${base}/(\\d+)/merge$`),
      (fake, match, { body }) => {
        const one = pull(fake, match);
        if (body?.sha !== COMMIT)
          return { status: 409, body: { message: 'SHA does not match HEAD of source branch' } };
        // It waits for a pipeline that runs, and for nothing else.
        if (fake.checks !== 'pending') one.state = 'merged';
        else one.scheduled = true;
        return ok(show(one));
      },
    ],
  ]);
}

/** https://developer.atlassian.com/cloud/bitbucket/rest/api-group-pullrequests */
export function fakeBitbucketPulls(): FakePullRequests {
  const states = { open: 'OPEN', closed: 'DECLINED', merged: 'MERGED' } as const;
  const show = (one: KeptPull): Body => ({
    id: one.number,
    title: one.title,
    description: one.body,
    links: { html: { href: `https://bitbucket.org/acme/fleet/pull-requests/${one.number}` } },
    source: { commit: { hash: COMMIT.slice(0, 12) }, branch: { name: one.head } },
  });
  const base = '^/2\\.0/repositories/acme/fleet';
  const branchOf = (side: unknown) => text((side as { branch: { name: string } }).branch.name);
  return fakeOf('acme/fleet', bearer, [
    [
      'GET',
      new RegExp(`${base}/pullrequests$`),
      (fake, _match, _request, query) => {
        const [, head, to, state] =
          /^source\.branch\.name = "(.*)" AND destination\.branch\.name = "(.*)" AND state = "(.*)"$/.exec(
            query.get('q') ?? '',
          ) ?? [];
        const fits = (one: KeptPull) => one.head === head && one.base === to && states[one.state] === state;
        return ok({ values: newest(fake).filter(fits).map(show) });
      },
    ],
    [
      'POST',
      new RegExp(`${base}/pullrequests$`),
      (fake, _match, { body = {} }) => ({
        status: 201,
        body: show(
          add(fake, {
            title: text(body.title),
            body: text(body.description),
            head: branchOf(body.source),
            base: branchOf(body.destination),
          }),
        ),
      }),
    ],
    ['GET', new RegExp(`${base}/pullrequests/(\\d+)$`), (fake, match) => ok(show(pull(fake, match)))],
    [
      'PUT',
      new RegExp(`${base}/pullrequests/(\\d+)$`),
      (fake, match, { body = {} }) =>
        ok(Object.assign(pull(fake, match), { title: body.title, body: body.description })),
    ],
    [
      'POST',
      new RegExp(`${base}/pullrequests/(\\d+)/(decline|merge)$`),
      (fake, match) => {
        pull(fake, match).state = match[2] === 'merge' ? 'merged' : 'closed';
        return ok({});
      },
    ],
    [
      'GET',
      new RegExp(`${base}/commit/${COMMIT}/statuses$`),
      (fake) => ok({ values: fake.checks === 'none' ? [] : [{ state: BUILD_STATES[fake.checks] }] }),
    ],
  ]);
}

const PIPELINES = { pending: 'running', passed: 'success', failed: 'failed' } as const;
const BUILD_STATES = { pending: 'INPROGRESS', passed: 'SUCCESSFUL', failed: 'FAILED' } as const;

/** https://developer.atlassian.com/server/bitbucket/rest */
export function fakeBitbucketServerPulls(): FakePullRequests {
  const states = { open: 'OPEN', closed: 'DECLINED', merged: 'MERGED' } as const;
  const show = (one: KeptPull): Body => ({
    id: one.number,
    version: one.version,
    title: one.title,
    description: one.body,
    fromRef: { id: `refs/heads/${one.head}`, latestCommit: COMMIT },
    toRef: { id: `refs/heads/${one.base}` },
    reviewers: [{ user: { name: 'ada' } }],
    links: { self: [{ href: `https://h/projects/ACME/repos/fleet/pull-requests/${one.number}` }] },
  });
  const base = '^/rest/api/1\\.0/projects/ACME/repos/fleet/pull-requests';
  const refOf = (side: unknown) => text((side as { id: string }).id).replace('refs/heads/', '');
  const conflict: ForgeAnswer = { status: 409, body: { errors: [{ message: 'out of date' }] } };
  return fakeOf('ACME/fleet', bearer, [
    [
      'GET',
      new RegExp(`${base}$`),
      (fake, _match, _request, query) => {
        const fits = (one: KeptPull) =>
          `refs/heads/${one.head}` === query.get('at') && states[one.state] === query.get('state');
        return ok({ values: newest(fake).filter(fits).map(show) });
      },
    ],
    [
      'POST',
      new RegExp(`${base}$`),
      (fake, _match, { body = {} }) => ({
        status: 201,
        body: show(
          add(fake, {
            title: text(body.title),
            body: text(body.description),
            head: refOf(body.fromRef),
            base: refOf(body.toRef),
          }),
        ),
      }),
    ],
    ['GET', new RegExp(`${base}/(\\d+)$`), (fake, match) => ok(show(pull(fake, match)))],
    [
      'PUT',
      new RegExp(`${base}/(\\d+)$`),
      (fake, match, { body = {} }) => {
        const one = pull(fake, match);
        if (body.version !== one.version) return conflict;
        if ((body.reviewers as unknown[]).length !== 1)
          return { status: 400, body: { errors: [{ message: 'reviewers' }] } };
        Object.assign(one, { title: body.title, body: body.description, version: one.version + 1 });
        return ok(show(one));
      },
    ],
    ['GET', new RegExp(`${base}/(\\d+)/merge$`), () => ok({ canMerge: true })],
    [
      'POST',
      new RegExp(`${base}/(\\d+)/(decline|merge)$`),
      (fake, match, _request, query) => {
        const one = pull(fake, match);
        if (query.get('version') !== String(one.version)) return conflict;
        one.state = match[2] === 'merge' ? 'merged' : 'closed';
        return ok(show(one));
      },
    ],
    [
      'GET',
      new RegExp(`^/rest/build-status/1\\.0/commits/stats/${COMMIT}$`),
      (fake) =>
        ok({
          successful: Number(fake.checks === 'passed'),
          inProgress: Number(fake.checks === 'pending'),
          failed: Number(fake.checks === 'failed'),
        }),
    ],
  ]);
}
