import { randomBytes } from 'node:crypto';
import { createRepository, type GiteaRepository, type RepositoryOptions } from './gitea-repository.ts';

export interface GiteaUser {
  user: string;
  password: string;
  /** Access token with every scope. */
  token: string;
}

/** How to reach a Gitea as its administrator; plain data. */
export interface GiteaConnection {
  /** URL without a slash at the end, e.g. `http://127.0.0.1:23456`. */
  url: string;
  /** Host and port of its SSH server, e.g. `127.0.0.1:23457`. */
  sshHost: string;
  /** Its SSH host key as a line of known_hosts. */
  knownHosts: string;
  admin: GiteaUser;
}

/** One call of Gitea's API; what is no JSON is answered as text. Throws `GiteaError` unless the answer is 2xx. */
export type GiteaApi = <T = unknown>(method: string, path: string, body?: unknown) => Promise<T>;

/** What tests do with a Gitea. */
export interface GiteaClient extends GiteaConnection {
  /** Calls the API below `/api/v1` as the administrator. */
  api: GiteaApi;
  /** The same as another user. */
  apiAs(user: GiteaUser): GiteaApi;
  /** A new repository of the administrator, with a first commit when files are given. */
  createRepository(name: string, options?: RepositoryOptions): Promise<GiteaRepository>;
  createUser(name: string): Promise<GiteaUser>;
}

export class GiteaError extends Error {
  readonly status: number;
  constructor(method: string, path: string, status: number, body: string) {
    super(`Gitea answered ${status} to ${method} ${path}: ${body.slice(0, 1000)}`);
    this.name = 'GiteaError';
    this.status = status;
  }
}

/** A client for a running Gitea. */
export function connectGitea(connection: GiteaConnection): GiteaClient {
  const { url, admin } = connection;
  const apiAs = (user: GiteaUser): GiteaApi => apiOf(url, `token ${user.token}`);
  const api = apiAs(admin);

  async function createUser(name: string): Promise<GiteaUser> {
    const password = randomBytes(16).toString('hex');
    const email = `${name}@example.test`;
    await api('POST', '/admin/users', { username: name, password, email, must_change_password: false });
    return { user: name, password, token: await createToken(url, name, password) };
  }

  return {
    ...connection,
    api,
    apiAs,
    createRepository: (name, options) => createRepository({ url, api, owner: admin }, name, options),
    createUser,
  };
}

/** Makes an access token with every scope for a user. */
export async function createToken(url: string, user: string, password: string): Promise<string> {
  const basic = `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`;
  const body = { name: `tests-${randomBytes(4).toString('hex')}`, scopes: ['all'] };
  const { sha1 } = await apiOf(url, basic)<{ sha1: string }>('POST', `/users/${user}/tokens`, body);
  return sha1;
}

function apiOf(url: string, authorization: string): GiteaApi {
  return async <T>(method: string, path: string, body?: unknown): Promise<T> => {
    const response = await fetch(`${url}/api/v1${path}`, {
      method,
      headers: { authorization, 'content-type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      signal: AbortSignal.timeout(60_000),
    });
    const text = await response.text();
    if (!response.ok) throw new GiteaError(method, path, response.status, text);
    const isJson = response.headers.get('content-type')?.includes('json');
    return (isJson && text ? JSON.parse(text) : text || undefined) as T;
  };
}
