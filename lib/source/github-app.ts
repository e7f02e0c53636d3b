import { LRUCache } from 'lru-cache';
import { sha256 } from '../core/digest.ts';
import type { ForgeDependencies } from '../forge/config.ts';
import { ForgeError } from '../forge/errors.ts';
import { type GitHubCredential, githubCredential } from '../forge/github-credential.ts';
import { GitError } from '../git/errors.ts';
import type { GitUrl } from '../git/url.ts';
import type { ProviderCredentials } from './git-auth.ts';
import { failure } from './git-failure.ts';
import type { SecretData } from './source.ts';

/** Where the API is when the secret does not say. */
const GITHUB_API = 'https://api.github.com';
/** GitHub takes a token as the password of this user. */
const TOKEN_USER = 'x-access-token';

/**
 * Credentials for `spec.provider: github`: a token of the GitHub App whose data the object's secret holds (`githubAppID`,
 * `githubAppPrivateKey`, and `githubAppInstallationID`, without which the installation for the repository is looked up;
 * `githubAppBaseURL` for GitHub Enterprise). Tokens are kept until shortly before they expire.
 * https://fluxcd.io/flux/components/source/gitrepositories/#github
 */
export function createGitHubAppCredentials(
  deps: Pick<ForgeDependencies, 'http' | 'now'>,
): ProviderCredentials {
  const apps = new LRUCache<string, GitHubCredential>({ max: 1_000 });
  return async (provider, { object, url, secret }) => {
    if (provider !== 'github') {
      const message = `spec.provider ${provider} is not supported; use generic with a token in spec.secretRef`;
      throw failure(object, 'InvalidProviderConfiguration', message, { outcome: 'stall' });
    }
    const data = readApp(secret ?? {});
    if (typeof data === 'string')
      throw failure(object, 'InvalidProviderConfiguration', data, { outcome: 'stall' });
    const key = sha256(JSON.stringify(data));
    const credential = apps.get(key) ?? makeCredential(data, deps);
    apps.set(key, credential);
    try {
      const token = await credential(projectOf(url));
      return { username: TOKEN_USER, password: token ?? '' };
    } catch (error) {
      if (!(error instanceof ForgeError)) throw error;
      throw new GitError('auth', `no token for the GitHub App ${data.id}: ${error.message}`, {
        cause: error,
      });
    }
  };
}

/** Whether a secret is made for this provider. */
export function holdsGitHubApp(secret: SecretData): boolean {
  return secret.githubAppID !== undefined || secret.githubAppPrivateKey !== undefined;
}

interface AppData {
  id: string;
  installationId: string;
  privateKey: string;
  apiUrl: string;
}

/** @returns a sentence when something is missing */
function readApp(secret: SecretData): AppData | string {
  const text = (key: string) =>
    Buffer.from(secret[key] ?? [])
      .toString('utf8')
      .trim();
  const [id, installationId, privateKey] = [
    text('githubAppID'),
    text('githubAppInstallationID'),
    text('githubAppPrivateKey'),
  ];
  if (!/^\d+$/.test(id))
    return 'spec.provider github needs a number as githubAppID in the secret of spec.secretRef';
  if (!/^\d*$/.test(installationId))
    return 'githubAppInstallationID in the secret of spec.secretRef is no number';
  if (privateKey === '')
    return 'spec.provider github needs githubAppPrivateKey in the secret of spec.secretRef';
  const apiUrl = apiUrlOf(text('githubAppBaseURL'));
  if (apiUrl === undefined) return 'githubAppBaseURL in the secret of spec.secretRef is no https or http URL';
  return { id, installationId, privateKey, apiUrl };
}

/** GitHub Enterprise Server has its API below `/api/v3`; hosts that are only an API have it at their root. */
function apiUrlOf(base: string): string | undefined {
  if (base === '') return GITHUB_API;
  if (!URL.canParse(base) || !/^https?:$/.test(new URL(base).protocol)) return undefined;
  const plain = base.replace(/\/+$/, '');
  const { hostname } = new URL(base);
  const isApi = hostname.startsWith('api.') || hostname.includes('.api.') || plain.endsWith('/api/v3');
  return isApi ? plain : `${plain}/api/v3`;
}

function makeCredential(data: AppData, deps: Pick<ForgeDependencies, 'http' | 'now'>): GitHubCredential {
  const { id, installationId, privateKey } = data;
  const app = { id, privateKey, ...(installationId === '' ? {} : { installationId }) };
  const config = { type: 'github', url: data.apiUrl, app };
  return githubCredential(config, data.apiUrl, { ...deps, secret: async () => privateKey });
}

/** `owner/name` of a clone URL. */
function projectOf(url: GitUrl): string {
  return url.path.replace(/^\/+|\/+$/g, '').replace(/\.git$/, '');
}
