/** State of a commit status. `superseded`: a newer commit took over before this one was done. */
export type StatusState = 'pending' | 'success' | 'failure' | 'error' | 'superseded';

/** A commit status as the provider shows it. */
export interface CommitStatus {
  /** `owner/name`, as the provider's API spells it. */
  project: string;
  /** Full commit hash. */
  commit: string;
  /** What identifies it among the statuses of the commit, such as `slipway/staging`. */
  context: string;
  state: StatusState;
  /** One line; adapters cut it to the provider's limit. */
  description: string;
  /** Opens the run's page; undefined when Slipway has no public address. */
  targetUrl?: string;
}

/** A pull request, as far as runs and comments need it. */
export interface PullRequest {
  number: string;
  title: string;
  author: string;
  url: string;
}

/** Says on commits how they fared. */
export interface CommitStatuses {
  /** Writes a status. Writing the same state again is harmless. */
  setCommitStatus(status: CommitStatus): Promise<void>;
  /** The pull request that a commit came from, if the provider knows one. */
  pullRequestOf(project: string, commit: string): Promise<PullRequest | undefined>;
}

/** Gives credentials for Git itself. */
export interface GitCredentials {
  /** A token and user for Git over HTTPS; a GitHub App gives a fresh one. */
  gitCredentials(): Promise<{ username: string; password: string } | undefined>;
}

/**
 * A Git provider's API. One file a provider plus a line in `registry.ts`; all pass `test/contract/forge.ts`. Pull requests are apart, in
 * `pull-requests.ts`.
 * Calls throw `ForgeError` (`errors.ts`), whose `kind` tells whether to try again: `rate-limited` (with `retryAfter` in ms), `transient`,
 * `unauthorized`, `gone` (commit or repository is not there), `rejected` (any other refusal; final).
 */
export interface Forge extends CommitStatuses, GitCredentials {}
