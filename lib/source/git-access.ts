import { join } from 'node:path';
import type { GitAuth } from '../git/auth.ts';
import { removeLeftovers } from '../git/leftovers.ts';
import { createMirrors } from '../git/mirror.ts';
import type { GitDependencies } from '../git/session.ts';
import { type GitUrl, parseGitUrl } from '../git/url.ts';
import type { Http } from '../http.ts';
import { type GitRepository, gitTimeoutOf } from '../toolkit/git-repository.ts';
import { authFor, type ProviderCredentials } from './git-auth.ts';
import type { GitLimits } from './git-checkout.ts';
import { createWorkspace, type GitWorkspace } from './git-workspace.ts';
import { createGitHubAppCredentials } from './github-app.ts';
import type { SourceInputs } from './source.ts';

/** What {@link createGitAccess} needs from outside. */
export interface GitAccessOptions extends GitDependencies {
  limits: GitLimits;
  /** For files kept in Git LFS and for GitHub Apps; without it pointers stay as they are, and only the provider `generic` works. */
  http?: Http;
  /** For `spec.provider`. Default: GitHub Apps, where `http` is given. */
  providerCredentials?: ProviderCredentials;
}

/** Where a repository is, who we are to it, and how to work with it. */
export interface RepositoryAccess {
  url: GitUrl;
  auth: GitAuth;
  workspace: GitWorkspace;
}

/** Who we are to repositories, and where they are kept: the same for those who read and those who write. */
export interface GitAccess {
  /** How the repository of a GitRepository is reached. Throws GitErrors and ReconcileErrors. */
  open(
    object: GitRepository,
    inputs: Pick<SourceInputs, 'secret' | 'fleetCredentials' | 'signal'>,
  ): Promise<RepositoryAccess>;
  limits: GitLimits;
}

/** Access through mirrors below the directory for temporary files. */
export function createGitAccess(options: GitAccessOptions): GitAccess {
  const { http, now, limits, temporaryDirectory } = options;
  const mirrors = createMirrors(join(temporaryDirectory, 'mirrors'), {
    maxBytes: limits.maxRepositoryBytes / 2,
  });
  const provide = options.providerCredentials ?? (http && createGitHubAppCredentials({ http, now }));
  let cleaned: Promise<void> | undefined;
  return {
    limits,
    async open(object, inputs) {
      cleaned ??= removeLeftovers(temporaryDirectory, now());
      await cleaned;
      const url = parseGitUrl(object.spec.url);
      const auth = await authFor(object, url, inputs, provide);
      const bounds = { timeout: gitTimeoutOf(object), signal: inputs.signal };
      return { url, auth, workspace: createWorkspace(options, mirrors, bounds) };
    },
  };
}
