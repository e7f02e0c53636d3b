import type { ShownStatus } from '../contract/forge.ts';
import type { ForgeAnswer, ForgeRequest } from './forge-server.ts';

/** A fake of one provider's API, with one repository, after its public documentation. */
export interface FakeForge {
  project: string;
  answer(request: ForgeRequest): ForgeAnswer;
  /** The newest status of each context. */
  statuses(commit: string): ShownStatus[];
}

/** The commits that each fake knows. */
export const COMMIT = 'a'.repeat(40);
export const MERGED = 'b'.repeat(40);

/** The token that each fake accepts. */
export const TOKEN = 'right-token-1234';

type Body = Record<string, unknown>;

/** Statuses by commit and key. */
class Statuses {
  readonly #byKey = new Map<string, Body>();

  set(commit: string, key: string, body: Body): void {
    this.#byKey.set(`${commit} ${key}`, body);
  }

  get(commit: string, key: string): Body | undefined {
    return this.#byKey.get(`${commit} ${key}`);
  }

  of(commit: string): Body[] {
    return [...this.#byKey].filter(([key]) => key.startsWith(`${commit} `)).map(([, body]) => body);
  }
}

function shown(context: unknown, state: unknown, description: unknown, targetUrl: unknown): ShownStatus {
  return {
    context: String(context),
    state: String(state),
    description: String(description),
    targetUrl: targetUrl === undefined || targetUrl === '' ? undefined : String(targetUrl),
  };
}

/** https://docs.github.com/en/rest/commits/statuses */
export function fakeGitHub(): FakeForge {
  const store = new Statuses();
  return {
    project: 'acme/fleet',
    answer({ method, path, headers, body }) {
      if (headers.authorization !== `Bearer ${TOKEN}`)
        return { status: 401, body: { message: 'Bad credentials' } };
      const match = /^\/api\/v3\/repos\/acme\/fleet\/(statuses|commits)\/([0-9a-f]{40})(\/pulls)?$/.exec(
        path,
      );
      const commit = match?.[2] ?? '';
      if (!match) return { status: 404, body: { message: 'Not Found' } };
      if (commit !== COMMIT && commit !== MERGED)
        return { status: 422, body: { message: `No commit found for SHA: ${commit}` } };
      if (method === 'GET')
        return { status: 200, body: commit === MERGED ? [pullOf('html_url', 'login')] : [] };
      const { state, context, description } = body ?? {};
      const known = ['pending', 'success', 'failure', 'error'].includes(String(state));
      if (!known || String(description).length > 140)
        return { status: 422, body: { message: 'Validation Failed', errors: [{ code: 'custom' }] } };
      store.set(commit, String(context), body ?? {});
      return { status: 201, body: { id: 1, state, context } };
    },
    statuses: (commit) =>
      store.of(commit).map((one) => shown(one.context, one.state, one.description, one.target_url)),
  };
}

/** https://docs.gitea.com/api */
export function fakeGitea(): FakeForge {
  const store = new Statuses();
  return {
    project: 'acme/fleet',
    answer({ method, path, headers, body }) {
      if (headers.authorization !== `token ${TOKEN}`)
        return { status: 401, body: { message: 'user does not exist [uid: 0, name: ]' } };
      const match = /^\/api\/v1\/repos\/acme\/fleet\/(statuses|commits)\/([0-9a-f]{40})(\/pull)?$/.exec(path);
      const commit = match?.[2] ?? '';
      if (!match) return { status: 404, body: { message: "The target couldn't be found." } };
      if (method === 'GET')
        return commit === MERGED
          ? { status: 200, body: pullOf('html_url', 'login') }
          : { status: 404, body: { message: 'pull request does not exist' } };
      if (commit !== COMMIT && commit !== MERGED)
        return {
          status: 500,
          body: { message: `GetCommit[${commit}]: object does not exist [id: ${commit}]` },
        };
      store.set(commit, String(body?.context), body ?? {});
      return { status: 201, body: { id: 1, status: body?.state } };
    },
    statuses: (commit) =>
      store.of(commit).map((one) => shown(one.context, one.state, one.description, one.target_url)),
  };
}

/** https://docs.gitlab.com/api/commits */
export function fakeGitLab(): FakeForge {
  const store = new Statuses();
  return {
    project: 'platform/team/fleet',
    answer({ method, path, headers, body }) {
      if (headers['private-token'] !== TOKEN) return { status: 401, body: { message: '401 Unauthorized' } };
      const base =
        /^\/api\/v4\/projects\/platform%2Fteam%2Ffleet\/(?:statuses|repository\/commits)\/([0-9a-f]{40})/;
      const commit = base.exec(path)?.[1] ?? '';
      if (commit === '') return { status: 404, body: { message: '404 Project Not Found' } };
      if (commit !== COMMIT && commit !== MERGED)
        return { status: 404, body: { message: '404 Commit Not Found' } };
      if (method === 'GET') return { status: 200, body: commit === MERGED ? [mergeRequest] : [] };
      const { name, state } = body ?? {};
      const before = store.get(commit, String(name));
      if (before?.state === 'running' && state === 'running') {
        const why =
          'Cannot transition status via :run from :running (Reason(s): Status cannot transition via "run")';
        return { status: 400, body: { message: { base: [why] } } };
      }
      store.set(commit, String(name), body ?? {});
      return { status: 201, body: { id: 1, status: state, name } };
    },
    statuses: (commit) =>
      store.of(commit).map((one) => shown(one.name, one.state, one.description, one.target_url)),
  };
}

/** https://developer.atlassian.com/cloud/bitbucket/rest/api-group-commit-statuses */
export function fakeBitbucket(): FakeForge {
  const store = new Statuses();
  return {
    project: 'acme/fleet',
    answer({ method, path, headers, body }) {
      if (headers.authorization !== `Bearer ${TOKEN}`)
        return { status: 401, body: { type: 'error', error: { message: 'Token is invalid' } } };
      const match =
        /^\/2\.0\/repositories\/acme\/fleet\/commit\/([0-9a-f]{40})\/(statuses\/build|pullrequests)$/.exec(
          path,
        );
      const commit = match?.[1] ?? '';
      if (commit !== COMMIT && commit !== MERGED)
        return { status: 404, body: { type: 'error', error: { message: 'Resource not found' } } };
      if (method === 'GET') return { status: 200, body: { values: commit === MERGED ? [bucketPull] : [] } };
      const { key, state, url } = body ?? {};
      if (String(key).length > 40 || url === undefined)
        return { status: 400, body: { type: 'error', error: { message: 'Bad request' } } };
      store.set(commit, String(key), body ?? {});
      return { status: 201, body: { state, key } };
    },
    statuses: (commit) => store.of(commit).map((one) => shown(one.name, one.state, one.description, one.url)),
  };
}

/** https://developer.atlassian.com/server/bitbucket/rest */
export function fakeBitbucketServer(): FakeForge {
  const store = new Statuses();
  return {
    project: 'ACME/fleet',
    answer({ method, path, headers, body }) {
      if (headers.authorization !== `Bearer ${TOKEN}`)
        return { status: 401, body: { errors: [{ message: 'Authentication failed.' }] } };
      const base =
        /^\/rest\/api\/1\.0\/projects\/ACME\/repos\/fleet\/commits\/([0-9a-f]{40})\/(builds|pull-requests)$/;
      const commit = base.exec(path)?.[1] ?? '';
      if (commit !== COMMIT && commit !== MERGED)
        return { status: 404, body: { errors: [{ message: 'Repository does not exist.' }] } };
      if (method === 'GET') return { status: 200, body: { values: commit === MERGED ? [serverPull] : [] } };
      const { key, url } = body ?? {};
      if (String(key).length > 255 || url === undefined)
        return { status: 400, body: { errors: [{ message: 'Bad' }] } };
      store.set(commit, String(key), body ?? {});
      return { status: 204 };
    },
    statuses: (commit) => store.of(commit).map((one) => shown(one.name, one.state, one.description, one.url)),
  };
}

const merged = { number: 12, title: 'Add podinfo' };

function pullOf(url: string, user: string): Body {
  return {
    ...merged,
    merged_at: '2026-05-01T12:00:00Z',
    [url]: 'https://h/acme/fleet/pull/12',
    user: { [user]: 'ada' },
  };
}

const mergeRequest = {
  iid: 12,
  title: merged.title,
  state: 'merged',
  web_url: 'https://h/platform/team/fleet/-/merge_requests/12',
  author: { username: 'ada' },
};

const bucketPull = {
  id: 12,
  title: merged.title,
  state: 'MERGED',
  links: { html: { href: 'https://bitbucket.org/acme/fleet/pull-requests/12' } },
  author: { nickname: 'ada', display_name: 'Ada Lovelace' },
};

const serverPull = {
  id: 12,
  title: merged.title,
  state: 'MERGED',
  links: { self: [{ href: 'https://h/projects/ACME/repos/fleet/pull-requests/12' }] },
  author: { user: { name: 'ada' } },
};
