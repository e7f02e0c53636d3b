import { randomBytes } from 'node:crypto';
import { userInfo } from 'node:os';

/** What of its settings differs from server to server. */
export interface GiteaSettings {
  /** Folder of everything it writes. */
  directory: string;
  httpPort: number;
  sshPort: number;
  /** Folder with `options`, `templates` and `public`. */
  staticRoot: string;
  /** Folder with the Git hooks of all repositories. */
  hooks: string;
}

/**
 * Text of Gitea's `app.ini`: SQLite, everything below one folder, nothing that reaches out.
 * @see https://docs.gitea.com/administration/config-cheat-sheet
 */
export function giteaSettings({ directory, httpPort, sshPort, staticRoot, hooks }: GiteaSettings): string {
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
core.hooksPath = ${hooks}
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
