import { bitbucketPullRequests } from './bitbucket-pull-requests.ts';
import { bitbucketServerPullRequests } from './bitbucket-server-pull-requests.ts';
import type { ForgeConfig, ForgeDependencies } from './config.ts';
import { giteaPullRequests } from './gitea-pull-requests.ts';
import { githubPullRequests } from './github-pull-requests.ts';
import { gitlabPullRequests } from './gitlab-pull-requests.ts';

/** From which branch into which. */
export interface Branches {
  head: string;
  base: string;
}

/** What a pull request says; the body is Markdown. */
export interface PullRequestText {
  title: string;
  body: string;
}

/** A pull request as the provider has it. */
export interface FoundPullRequest extends PullRequestText {
  number: string;
  url: string;
}

/**
 * What becomes of a request that is to be merged once its checks pass: the provider does it by itself (`scheduled`), it is done (`merged`),
 * or it must be asked for again later (`waiting`).
 */
export type MergeState = 'merged' | 'scheduled' | 'waiting';

/**
 * Pull requests (merge requests with GitLab) from one branch of a repository into another. One file a provider plus a line below; all pass
 * `test/contract/pull-requests.ts`. Calls throw `ForgeError`.
 */
export interface PullRequests {
  /** The open one between two branches. */
  findOpen(project: string, branches: Branches): Promise<FoundPullRequest | undefined>;
  /** The newest ones between two branches that were closed without being merged. */
  findDeclined(project: string, branches: Branches): Promise<FoundPullRequest[]>;
  open(project: string, branches: Branches, text: PullRequestText): Promise<FoundPullRequest>;
  update(project: string, number: string, text: PullRequestText): Promise<void>;
  /** Closes it without merging. */
  close(project: string, number: string): Promise<void>;
  /**
   * Merges it as soon as its checks have passed, and only while its branch is at this commit. One on which no check has reported is not
   * merged by us.
   */
  mergeWhenChecksPass(project: string, number: string, commit: string): Promise<MergeState>;
}

/** Makes the API client of a provider for pull requests. */
export type PullRequestsFactory = (config: ForgeConfig, dependencies: ForgeDependencies) => PullRequests;

/** The providers, by the type in the fleet file. */
export const pullRequestApis: Readonly<Record<string, PullRequestsFactory>> = {
  bitbucket: bitbucketPullRequests,
  'bitbucket-server': bitbucketServerPullRequests,
  gitea: giteaPullRequests,
  github: githubPullRequests,
  gitlab: gitlabPullRequests,
};
