import { run } from '../lib/exec.ts';
import type { Fleet } from '../lib/fleet/fleet.ts';
import type { FleetProvider } from '../lib/fleet/provider.ts';
import { isOwned } from '../lib/fleet/speaks-of.ts';
import { type PullRequests, pullRequestApis } from '../lib/forge/pull-requests.ts';
import { createForge } from '../lib/forge/registry.ts';
import { signWithPgp } from '../lib/git/sign-pgp.ts';
import { signWithSsh } from '../lib/git/sign-ssh.ts';
import type { Http } from '../lib/http.ts';
import type { NetworkPolicy } from '../lib/network.ts';
import type { Context, Provider } from '../lib/pipeline/context.ts';
import { createGitAccess } from '../lib/source/git-access.ts';
import { createSources } from '../lib/source/registry.ts';
import type { OpenFleet } from './open-fleet.ts';

/**
 * The source kinds, and the repositories for whoever writes to them, within the limits of the fleet file.
 * @param directory for mirrors and temporary files; it must exist
 */
export function openSources(
  fleet: Fleet,
  policy: NetworkPolicy,
  http: Http,
  directory: string,
): Pick<Context, 'sources' | 'git'> {
  const { artifactSize, artifactFiles } = fleet.limits;
  const limits = { maxBytes: artifactSize, maxFiles: artifactFiles, maxRepositoryBytes: 4 * artifactSize };
  const git = { temporaryDirectory: directory, run, policy, http, now: Date.now, limits };
  const access = createGitAccess(git);
  const signing = { run, temporaryDirectory: directory };
  return {
    sources: createSources({ git, access }),
    git: {
      access,
      signWithSsh: (payload, key) => signWithSsh(signing, payload, key),
      signWithPgp: (payload, key) => signWithPgp(signing, payload, key),
    },
  };
}

/** The Git providers of the fleet file. */
export function openProviders({ fleet, secret }: OpenFleet, http: Http): Provider[] {
  return fleet.providers.map((provider) => ({
    name: provider.name,
    type: provider.type,
    host: new URL(provider.url).host.toLowerCase(),
    owns: (path) => isOwned(provider, path),
    forge: createForge(provider, { http, secret, now: Date.now }),
    pullRequests: (credential) => openPullRequests(provider, http, secret, credential),
  }));
}

function openPullRequests(
  { type, url, token, username, app }: FleetProvider,
  http: Http,
  secret: OpenFleet['secret'],
  credential: { username?: string; token: string } | undefined,
): PullRequests {
  const make = pullRequestApis[type];
  if (!make) throw new TypeError(`there are no pull requests with providers of type ${type}`);
  if (credential) {
    const { token: own, ...more } = credential;
    return make({ type, url, token: 'own', ...more }, { http, secret: async () => own, now: Date.now });
  }
  const config = {
    type,
    url,
    ...(token === undefined ? {} : { token }),
    ...(username === undefined ? {} : { username }),
    ...(app === undefined ? {} : { app }),
  };
  return make(config, { http, secret, now: Date.now });
}
