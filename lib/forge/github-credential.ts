import { createAppAuth } from '@octokit/auth-app';
import * as z from 'zod';
import { messageOf } from '../core/errors.ts';
import { createApi } from './api.ts';
import type { ForgeConfig, ForgeDependencies } from './config.ts';
import { ForgeError } from './errors.ts';
import { projectPath } from './path.ts';

/** Gives the token of a call: the one of the fleet file, or a fresh one of a GitHub App's installation. */
export type GitHubCredential = (project: string | undefined) => Promise<string | undefined>;

/** Tokens live an hour; they are renewed when less than this is left, in ms. */
const MARGIN_MS = 5 * 60_000;

/** Makes the credential of a GitHub provider. */
export function githubCredential(
  config: ForgeConfig,
  apiUrl: string,
  dependencies: ForgeDependencies,
): GitHubCredential {
  const { app, token } = config;
  if (app) return appCredential(app, apiUrl, dependencies);
  return async () => (token === undefined ? undefined : dependencies.secret(token));
}

/** https://docs.github.com/en/apps/creating-github-apps/authenticating-with-a-github-app */
function appCredential(
  app: NonNullable<ForgeConfig['app']>,
  apiUrl: string,
  { http, secret, now }: ForgeDependencies,
): GitHubCredential {
  const tokens = new Map<string, { token: string; expiresAt: number; key: string }>();
  const installations = new Map<string, string>();

  async function asApp(privateKey: string) {
    const headers = async () => ({ authorization: `Bearer ${await appToken(app.id, privateKey)}` });
    return createApi({ http, baseUrl: apiUrl, headers, now });
  }

  async function installationOf(project: string | undefined, privateKey: string): Promise<string> {
    if (app.installationId !== undefined) return app.installationId;
    const known = installations.get(project ?? '');
    if (known !== undefined) return known;
    const api = await asApp(privateKey);
    const found =
      project === undefined
        ? await onlyInstallation(api)
        : (
            await api({
              method: 'GET',
              path: `/repos/${projectPath(project)}/installation`,
              answer: Installation,
            })
          ).id;
    installations.set(project ?? '', String(found));
    return String(found);
  }

  return async (project) => {
    const privateKey = await secret(app.privateKey);
    const id = await installationOf(project, privateKey);
    const held = tokens.get(id);
    if (held && held.key === privateKey && held.expiresAt - now() > MARGIN_MS) return held.token;
    const api = await asApp(privateKey);
    const path = `/app/installations/${encodeURIComponent(id)}/access_tokens`;
    const fresh = await api({ method: 'POST', path, answer: AccessToken });
    tokens.set(id, { token: fresh.token, expiresAt: Date.parse(fresh.expires_at), key: privateKey });
    return fresh.token;
  };
}

const Installation = z.object({ id: z.int() });
const AccessToken = z.object({ token: z.string().min(1), expires_at: z.iso.datetime({ offset: true }) });

async function onlyInstallation(api: ReturnType<typeof createApi>): Promise<number> {
  const [first, ...more] = await api({
    method: 'GET',
    path: '/app/installations',
    answer: z.array(Installation),
  });
  if (first && more.length === 0) return first.id;
  const why = first ? 'has several installations; set app.installationId' : 'is not installed anywhere';
  throw new ForgeError('unauthorized', `the GitHub App ${why}`);
}

/** A token that speaks for the app itself; made here, without the network. */
async function appToken(appId: string, privateKey: string): Promise<string> {
  try {
    const { token } = await createAppAuth({ appId, privateKey })({ type: 'app' });
    return token;
  } catch (error) {
    const message = `the private key of the GitHub App ${appId} cannot be used: ${messageOf(error)}`;
    throw new ForgeError('unauthorized', message, { secrets: [privateKey] });
  }
}
