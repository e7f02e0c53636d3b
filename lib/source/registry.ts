import type { KubernetesObject } from '../core/object.ts';
import type { GitAccess, GitAccessOptions } from './git-access.ts';
import { createGitRepositorySource } from './git-repository.ts';
import type { SourceKind } from './source.ts';

/** What the source kinds need. */
export interface SourceOptions {
  git: GitAccessOptions;
  /** Where repositories are kept, to be shared with whoever else works in them. Default: one of its own. */
  access?: GitAccess;
}

/** All kinds of source, by kind: one file and one line each. The objects given to them must have passed their schema. */
export function createSources(
  options: SourceOptions,
): Readonly<Record<string, SourceKind<KubernetesObject>>> {
  return {
    GitRepository: createGitRepositorySource(options.git, options.access) as SourceKind<KubernetesObject>,
  };
}
