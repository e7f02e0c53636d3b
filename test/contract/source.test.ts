import { afterAll, beforeAll, describe } from 'vitest';
import type { KubernetesObject } from '../../lib/core/object.ts';
import type { GitRepository } from '../../lib/toolkit/git-repository.ts';
import { type GitHarness, startGitHarness } from '../support/git-source.ts';
import { describeSource, type SourceSubject } from './source.ts';

describe.each(['sha1', 'sha256'])('GitRepository, %s', (format) => {
  let git: GitHarness;
  beforeAll(async () => {
    git = await startGitHarness([`--object-format=${format}`]);
  });
  afterAll(() => git.close());

  describeSource(() => {
    const subject: SourceSubject<GitRepository & KubernetesObject> = {
      source: git.source,
      object: git.object() as GitRepository & KubernetesObject,
      missing: git.object({ ref: { branch: 'gone' } }) as GitRepository & KubernetesObject,
      async publish(files) {
        await git.repository.git(['rm', '-r', '--quiet', '--ignore-unmatch', '.']);
        await git.repository.commit(files);
      },
    };
    return subject;
  });
});
