/**
 * A real Git provider for tests: Gitea on free ports of 127.0.0.1, with HTTP, webhooks, statuses, LFS and SSH.
 *
 *     const gitea = await startGitea();
 *     const fleet = await gitea.createRepository('fleet', { files: { 'README.md': 'hello' } });
 *     const sha = await fleet.commit({ 'a.yaml': '...', 'old.yaml': null }, { message: 'Change a, drop old' });
 *     await fleet.createWebhook('http://127.0.0.1:8080/webhooks/gitea', 'secret');
 *     const pull = await fleet.openPullRequest('change', { 'a.yaml': '...' }, 'Change a');
 *     const merged = await fleet.merge(pull);
 *     await fleet.statuses(merged); // [{ context, status, description, targetUrl, ... }], newest of each context
 *     await gitea.stop();
 *
 * It never outlives the process that started it, even when that is killed.
 */
import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { promisify } from 'node:util';
import { giteaLocation } from '../../infra/testservers/location.ts';
import { createRepository, type GiteaRepository, type RepositoryOptions } from './gitea-repository.ts';
import { freePorts } from './ports.ts';
import { type Server, startServer, waitUntilReady } from './process.ts';

const run = promisify(execFile);

export interface GiteaUser {
  user: string;
  password: string;
  /** Access token with every scope. */
  token: string;
}

/** One call of Gitea's API; throws `GiteaError` unless the answer is 2xx. */
export type GiteaApi = <T = unknown>(method: string, path: string, body?: unknown) => Promise<T>;

export interface Gitea {
  /** URL without a slash at the end, e.g. `http://127.0.0.1:23456`. */
  url: string;
  /** Host and port of its SSH server, e.g. `127.0.0.1:23457`. */
  sshHost: string;
  /** Its SSH host key as a line of known_hosts. */
  knownHosts: string;
  admin: GiteaUser;
  /** Calls the API below `/api/v1` as the administrator. */
  api: GiteaApi;
  /** The same as another user. */
  apiAs(user: GiteaUser): GiteaApi;
  /** A new repository of the administrator, with a first commit when files are given. */
  createRepository(name: string, options?: RepositoryOptions): Promise<GiteaRepository>;
  createUser(name: string): Promise<GiteaUser>;
  /** Folder of its logs and data; deleted by `stop`. */
  directory: string;
  server: Server;
  stop(): Promise<void>;
}

export class GiteaError extends Error {
  readonly status: number;
  constructor(method: string, path: string, status: number, body: string) {
    super(`Gitea answered ${status} to ${method} ${path}: ${body.slice(0, 1000)}`);
    this.name = 'GiteaError';
    this.status = status;
  }
}

/** Starts Gitea and waits until it answers (2 to 5 s). */
export async function startGitea(): Promise<Gitea> {
  const location = giteaLocation();
  if (!existsSync(location.binary)) {
    throw new Error(`No Gitea at ${location.binary}. Build it with: npm run build:testservers`);
  }
  const directory = await mkdtemp(join(tmpdir(), 'slipway-gitea-'));
  let server: Server | undefined;

  async function stop(): Promise<void> {
    await server?.stop();
    await rm(directory, { recursive: true, force: true, maxRetries: 5 });
  }

  try {
    const [httpPort, sshPort] = (await freePorts(2)) as [number, number];
    const url = `http://127.0.0.1:${httpPort}`;
    const config = join(directory, 'app.ini');
    const home = join(directory, 'home');
    await mkdir(home);
    await writeFile(config, appIni({ directory, httpPort, sshPort, staticRoot: location.directory }), {
      mode: 0o600,
    });
    // Nothing of the user's own Git configuration may reach it.
    const env = { PATH: process.env.PATH, HOME: home, USER: userInfo().username, GITEA_WORK_DIR: directory };
    server = await startServer({
      name: 'gitea',
      command: location.binary,
      args: ['web', '--config', config],
      logFile: join(directory, 'gitea.log'),
      cwd: directory,
      env,
      scratch: directory,
    });
    await waitUntilReady(server, async () => (await fetch(`${url}/api/healthz`)).ok);

    const admin = { user: 'admin-user', password: randomBytes(16).toString('hex'), token: '' };
    const create = ['admin', 'user', 'create', '--config', config, '--admin', '--must-change-password=false'];
    create.push('--username', admin.user, '--password', admin.password, '--email', 'admin@example.test');
    await run(location.binary, create, { env, cwd: directory });
    admin.token = await createToken(url, admin);

    const apiAs = (user: GiteaUser): GiteaApi => apiOf(url, `token ${user.token}`);
    const api = apiAs(admin);
    const hostKey = (
      await readFile(join(directory, 'data', 'ssh', 'gitea.rsa.pub'), 'utf8').catch(() => '')
    ).trim();

    return {
      url,
      sshHost: `127.0.0.1:${sshPort}`,
      knownHosts: `[127.0.0.1]:${sshPort} ${hostKey}\n`,
      admin,
      api,
      apiAs,
      createRepository: (name, options) => createRepository({ url, api, owner: admin }, name, options),
      async createUser(name) {
        const user = { user: name, password: randomBytes(16).toString('hex'), token: '' };
        const body = {
          username: name,
          password: user.password,
          email: `${name}@example.test`,
          must_change_password: false,
        };
        await api('POST', '/admin/users', body);
        user.token = await createToken(url, user);
        return user;
      },
      directory,
      server,
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function createToken(url: string, user: GiteaUser): Promise<string> {
  const basic = `Basic ${Buffer.from(`${user.user}:${user.password}`).toString('base64')}`;
  const body = { name: 'tests', scopes: ['all'] };
  const { sha1 } = await apiOf(url, basic)<{ sha1: string }>('POST', `/users/${user.user}/tokens`, body);
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
    return (text ? JSON.parse(text) : undefined) as T;
  };
}

interface Settings {
  directory: string;
  httpPort: number;
  sshPort: number;
  staticRoot: string;
}

/** @see https://docs.gitea.com/administration/config-cheat-sheet */
function appIni({ directory, httpPort, sshPort, staticRoot }: Settings): string {
  const user = userInfo();
  const secret = () => randomBytes(32).toString('base64url');
  return `
APP_NAME = Gitea for tests
RUN_MODE = prod
RUN_USER = ${user.username}
WORK_PATH = ${directory}
${user.uid === 0 ? 'I_AM_BEING_UNSAFE_RUNNING_AS_ROOT = true' : ''}

[server]
HTTP_ADDR = 127.0.0.1
HTTP_PORT = ${httpPort}
DOMAIN = 127.0.0.1
ROOT_URL = http://127.0.0.1:${httpPort}/
STATIC_ROOT_PATH = ${staticRoot}
APP_DATA_PATH = ${directory}/data
OFFLINE_MODE = true
START_SSH_SERVER = true
SSH_DOMAIN = 127.0.0.1
SSH_PORT = ${sshPort}
SSH_LISTEN_HOST = 127.0.0.1
SSH_LISTEN_PORT = ${sshPort}
SSH_SERVER_HOST_KEYS = ssh/gitea.rsa
LFS_START_SERVER = true
LFS_JWT_SECRET = ${secret()}

[database]
DB_TYPE = sqlite3
PATH = ${directory}/data/gitea.db

[security]
INSTALL_LOCK = true
SECRET_KEY = ${secret()}
PASSWORD_HASH_ALGO = pbkdf2_v1

[oauth2]
ENABLED = false
JWT_SECRET = ${secret()}

[service]
DISABLE_REGISTRATION = true
ENABLE_CAPTCHA = false

[webhook]
ALLOWED_HOST_LIST = *
DELIVER_TIMEOUT = 10

[repository]
ROOT = ${directory}/repositories
DEFAULT_BRANCH = main
ENABLE_PUSH_CREATE_USER = true

[git.config]
uploadpack.allowFilter = true
uploadpack.allowAnySHA1InWant = true

[indexer]
ISSUE_INDEXER_TYPE = db

[queue]
TYPE = channel

[session]
PROVIDER = memory

[actions]
ENABLED = false

[mirror]
ENABLED = false

[cron]
ENABLED = false

[cron.update_checker]
ENABLED = false

[log]
MODE = console
LEVEL = Warn
`;
}
