import type { GiteaApi, GiteaUser } from './gitea-client.ts';

/** Content by path; null deletes the file. */
export type GiteaFiles = Record<string, string | Buffer | null>;

export interface RepositoryOptions {
  /** Files of the first commit. Without any, the repository stays empty. */
  files?: GiteaFiles;
  /** Default: true. */
  private?: boolean;
}

export interface CommitOptions {
  message?: string;
  /** Branch that receives the commit; made from `from` when it does not exist. Default: `main`. */
  branch?: string;
  /** Branch that a new branch starts from. Default: `main`. */
  from?: string;
  author?: { name: string; email: string };
}

export interface GiteaStatus {
  context: string;
  /** `pending`, `success`, `error`, `failure` or `warning`. */
  status: string;
  description: string;
  targetUrl: string;
  /** Time of the status as Gitea gives it (RFC 3339). */
  createdAt: string;
}

export interface GiteaPull {
  number: number;
  title: string;
  body: string;
  state: string;
  merged: boolean;
  head: { ref: string; sha: string };
  base: { ref: string };
}

export interface GiteaRepository {
  owner: string;
  name: string;
  /** Clone URL without credentials. */
  url: string;
  /** The same with the owner's name and token, for `git push`. */
  urlWithToken: string;
  /** Clone URL for SSH. */
  sshUrl: string;
  /** Page of the repository. */
  page: string;
  /** Writes and deletes files in one commit; answers its id. Missing branches are made. */
  commit(files: GiteaFiles, options?: CommitOptions): Promise<string>;
  /** Id of the newest commit of a branch (default `main`). */
  head(branch?: string): Promise<string>;
  /** The text of a file of a branch (default `main`). */
  read(path: string, branch?: string): Promise<string>;
  /** The newest 50 commits of a branch (default `main`), newest first. */
  log(branch?: string): Promise<{ id: string; message: string; author: string; files: string[] }[]>;
  /** What a commit changes, as a unified diff. */
  patch(commit: string): Promise<string>;
  /** Its pull requests, open ones and others, oldest first. */
  pullRequests(): Promise<GiteaPull[]>;
  /** Changes a pull request, such as to close it. */
  editPullRequest(number: number, change: Record<string, unknown>): Promise<void>;
  /** Writes a commit status of the context `ci`. */
  setStatus(commit: string, state: string): Promise<void>;
  /** Makes a branch (default `main`) point at a commit, forwards or back, as `git push --force` does. */
  forcePush(commit: string, branch?: string): Promise<void>;
  /** Commits files to a new branch and opens a pull request for `main`; answers its number. */
  openPullRequest(branch: string, files: GiteaFiles, title: string): Promise<number>;
  /** Merges a pull request; answers the id of the commit that `main` then has. */
  merge(number: number, style?: 'merge' | 'squash' | 'rebase'): Promise<string>;
  /** Registers a webhook in Gitea's own format; answers its id. Default events: push. */
  createWebhook(url: string, secret: string, events?: string[]): Promise<number>;
  /** The newest status of each context of a commit, by context. */
  statuses(sha: string): Promise<GiteaStatus[]>;
  /** Every status ever set on a commit, oldest first. */
  statusHistory(sha: string): Promise<GiteaStatus[]>;
  delete(): Promise<void>;
}

interface Owner {
  url: string;
  api: GiteaApi;
  owner: GiteaUser;
}

interface RawCommit {
  sha: string;
  commit: { message: string; author: { name: string; email: string } };
  files?: { filename: string }[];
}

interface RawStatus {
  id: number;
  context: string;
  status: string;
  description: string;
  target_url: string;
  created_at: string;
}

/** Makes a repository; see `Gitea.createRepository`. */
export async function createRepository(
  { url, api, owner }: Owner,
  name: string,
  options: RepositoryOptions = {},
): Promise<GiteaRepository> {
  const base = `/repos/${owner.user}/${name}`;
  const created = await api<{ ssh_url: string }>('POST', '/user/repos', {
    name,
    private: options.private ?? true,
    default_branch: 'main',
    auto_init: false,
  });

  async function exists(path: string): Promise<boolean> {
    return api('GET', path).then(
      () => true,
      () => false,
    );
  }

  async function commit(files: GiteaFiles, given: CommitOptions = {}): Promise<string> {
    const branch = given.branch ?? 'main';
    const isNew = branch !== 'main' && !(await exists(`${base}/branches/${encodeURIComponent(branch)}`));
    const source = isNew ? (given.from ?? 'main') : branch;
    const changes: Record<string, unknown>[] = [];
    for (const [path, content] of Object.entries(files)) {
      if (content === null) {
        const at = `${base}/contents/${path}?ref=${encodeURIComponent(source)}`;
        const { sha } = await api<{ sha: string }>('GET', at);
        changes.push({ operation: 'delete', path, sha });
      } else {
        changes.push({ operation: 'upload', path, content: Buffer.from(content).toString('base64') });
      }
    }
    const result = await api<{ commit: { sha: string } }>('POST', `${base}/contents`, {
      branch: source,
      ...(isNew ? { new_branch: branch } : {}),
      message: given.message ?? 'Change files',
      ...(given.author ? { author: given.author } : {}),
      files: changes,
    });
    return result.commit.sha;
  }

  async function allStatuses(sha: string): Promise<GiteaStatus[]> {
    const all: RawStatus[] = [];
    for (let page = 1; ; page++) {
      const part = await api<RawStatus[]>('GET', `${base}/commits/${sha}/statuses?limit=50&page=${page}`);
      all.push(...part);
      if (part.length < 50) break;
    }
    return all
      .sort((a, b) => a.id - b.id)
      .map((raw) => ({
        context: raw.context,
        status: raw.status,
        description: raw.description,
        targetUrl: raw.target_url,
        createdAt: raw.created_at,
      }));
  }

  const repository: GiteaRepository = {
    owner: owner.user,
    name,
    url: `${url}/${owner.user}/${name}.git`,
    urlWithToken: `${url.replace('://', `://${owner.user}:${owner.token}@`)}/${owner.user}/${name}.git`,
    sshUrl: created.ssh_url,
    page: `${url}/${owner.user}/${name}`,
    commit,
    async head(branch = 'main') {
      const found = await api<{ commit: { id: string } }>(
        'GET',
        `${base}/branches/${encodeURIComponent(branch)}`,
      );
      return found.commit.id;
    },
    async read(path, branch = 'main') {
      const at = `${base}/contents/${path}?ref=${encodeURIComponent(branch)}`;
      return Buffer.from((await api<{ content: string }>('GET', at)).content, 'base64').toString('utf8');
    },
    async log(branch = 'main') {
      const found = await api<RawCommit[]>(
        'GET',
        `${base}/commits?sha=${encodeURIComponent(branch)}&limit=50&stat=false&verification=false`,
      );
      return found.map(({ sha, commit: { message, author }, files = [] }) => ({
        id: sha,
        message,
        author: `${author.name} <${author.email}>`,
        files: files.map(({ filename }) => filename),
      }));
    },
    patch: (id) => api<string>('GET', `${base}/git/commits/${id}.diff`),
    async pullRequests() {
      const found = await api<GiteaPull[]>('GET', `${base}/pulls?state=all&limit=50`);
      return found.sort((a, b) => a.number - b.number);
    },
    async setStatus(target, state) {
      await api('POST', `${base}/statuses/${target}`, { state, context: 'ci' });
    },
    async editPullRequest(number, change) {
      await api('PATCH', `${base}/pulls/${number}`, change);
    },
    async forcePush(target, branch = 'main') {
      const body = { new_commit_id: target, force: true };
      await api('PUT', `${base}/branches/${encodeURIComponent(branch)}`, body);
    },
    async openPullRequest(branch, files, title) {
      await commit(files, { branch, message: title });
      const pull = await api<{ number: number }>('POST', `${base}/pulls`, {
        title,
        head: branch,
        base: 'main',
      });
      return pull.number;
    },
    async merge(number, style = 'merge') {
      // Gitea checks in the background whether a new pull request can be merged and answers 405 until it knows.
      const deadline = Date.now() + 30_000;
      while (!(await api<{ mergeable: boolean }>('GET', `${base}/pulls/${number}`)).mergeable) {
        if (Date.now() > deadline) throw new Error(`Pull request ${number} cannot be merged.`);
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
      await api('POST', `${base}/pulls/${number}/merge`, { Do: style });
      const merged = await api<{ merge_commit_sha: string }>('GET', `${base}/pulls/${number}`);
      return merged.merge_commit_sha;
    },
    async createWebhook(target, secret, events = ['push']) {
      const config = { url: target, content_type: 'json', secret };
      const hook = await api<{ id: number }>('POST', `${base}/hooks`, {
        type: 'gitea',
        active: true,
        events,
        config,
      });
      return hook.id;
    },
    async statuses(sha) {
      const newest = new Map((await allStatuses(sha)).map((status) => [status.context, status]));
      return [...newest.values()].sort((a, b) => (a.context < b.context ? -1 : 1));
    },
    statusHistory: allStatuses,
    async delete() {
      await api('DELETE', base);
    },
  };
  if (options.files) await commit(options.files, { message: 'First commit' });
  return repository;
}
