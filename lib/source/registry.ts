import type { KubernetesObject } from '../core/object.ts';
import { createGitRepositorySource, type GitRepositorySourceOptions } from './git-repository.ts';
import type { SourceKind } from './source.ts';

/** What the source kinds need. */
export interface SourceOptions {
  git: GitRepositorySourceOptions;
}

/** All kinds of source, by kind: one file and one line each. The objects given to them must have passed their schema. */
export function createSources(
  options: SourceOptions,
): Readonly<Record<string, SourceKind<KubernetesObject>>> {
  return {
    GitRepository: createGitRepositorySource(options.git) as SourceKind<KubernetesObject>,
  };
}
