import { parseCommit, personOf } from '../git/commit.ts';
import { tagOf } from '../git/fetch.ts';
import { readWhole } from '../git/objects.ts';
import type { GitSession } from '../git/session.ts';
import { createTar, type Tar, type TreeFile } from '../tar.ts';
import type { GitRepository } from '../toolkit/git-repository.ts';
import type { GitAccessOptions, RepositoryAccess } from './git-access.ts';
import { checkOut } from './git-checkout.ts';
import { listSubmodules, readSubmodules, type Submodule } from './git-submodules.ts';
import { archiveFiles, checkLimits, filesOf, readFiles, selectFiles, selectRead } from './git-tree.ts';
import { verifiesTag, verifySignatures } from './git-verification.ts';
import { readIncluded } from './include.ts';
import { fetchLfsFiles, usesLfs } from './lfs.ts';
import type { Fetched, SourceInputs } from './source.ts';

/** What to fetch. */
export interface FetchTarget {
  revision: string;
  commit: string;
  /** The full name of the ref it stands on, where known. */
  ref: string | undefined;
}

/** What was read from the repository itself. */
interface Read {
  /** The finished archive, or the files when more is to be added to them. */
  tree: Tar | TreeFile[];
  submodules: Submodule[];
  commitBytes: Buffer;
  tagBytes: Buffer | undefined;
}

/** Which mirror holds what an object asks for. */
export function useOf(spec: GitRepository['spec']): 'files' | 'sparse' {
  return spec.sparseCheckout ? 'sparse' : 'files';
}

/** Fetches a commit with all that its object asks for: verified, with submodules, LFS files and includes, without ignored files. */
export async function fetchRepository(
  options: GitAccessOptions,
  access: RepositoryAccess,
  object: GitRepository,
  inputs: SourceInputs,
  target: FetchTarget,
): Promise<Fetched> {
  const { limits } = options;
  const { spec } = object;
  const { commit, ref } = target;
  const tag = ref?.startsWith('refs/tags/') ? ref : undefined;
  const read = await access.workspace.work({ ...access, commit, use: useOf(spec) }, readRepository);
  const verified = await verifySignatures(options, object, inputs, {
    commit,
    commitBytes: read.commitBytes,
    tag: tag === undefined ? undefined : { name: tag.slice('refs/tags/'.length), bytes: read.tagBytes },
  });
  const tar = Array.isArray(read.tree) ? await complete(read.tree, read.submodules) : read.tree;
  const parsed = parseCommit(read.commitBytes);
  return {
    revision: target.revision,
    ...tar,
    commit: {
      hash: commit,
      author: personOf(parsed.headers.get('author')),
      committer: personOf(parsed.headers.get('committer')),
      subject: parsed.message.split('\n', 1)[0] ?? '',
    },
    ...(verified === undefined ? {} : { verified }),
  };

  async function readRepository(session: GitSession, gitDir: string): Promise<Read> {
    const wantedTag = verifiesTag(spec) ? tag : undefined;
    const directories = spec.sparseCheckout;
    const entries = await checkOut(session, { gitDir, commit, ref, tag: wantedTag, directories, limits });
    const files = filesOf(entries);
    const submodules = spec.recurseSubmodules ? await listSubmodules(session, gitDir, commit, entries) : [];
    const tagBytes = wantedTag === undefined ? undefined : await readTag(session, gitDir);
    const needsMore =
      submodules.length > 0 || spec.include?.length || (await usesLfs(session, gitDir, files));
    if (needsMore) {
      const tree = await readFiles(session, gitDir, files, limits);
      const [commitBytes = Buffer.alloc(0)] = await readWhole(session, gitDir, [commit]);
      return { tree, submodules, commitBytes, tagBytes };
    }
    const selected = await selectFiles(session, gitDir, files, spec.ignore);
    const { tar, also } = await archiveFiles(session, gitDir, selected, limits, commit);
    return { tree: tar, submodules, commitBytes: also, tagBytes };
  }

  async function readTag(session: GitSession, gitDir: string): Promise<Buffer | undefined> {
    const { stdout } = await session.git(['rev-parse', '--verify', tagOf(commit)], {
      what: `find ${tag}`,
      gitDir,
    });
    const [bytes] = await readWhole(session, gitDir, [Buffer.from(stdout).toString('latin1').trim()]);
    return bytes;
  }

  async function complete(own: TreeFile[], submodules: Submodule[]): Promise<Tar> {
    const below = await readSubmodules(access.workspace, submodules, access, limits);
    const files = [...own, ...below];
    files.push(...(await readIncluded(object, inputs, files, limits)));
    const selected = selectRead(files, spec.ignore);
    const whole = await fetchLfsFiles(options.http, access, selected, { ...limits, signal: inputs.signal });
    checkLimits(
      whole.map(({ data }) => ({ size: data.length })),
      limits,
    );
    return createTar(whole);
  }
}
