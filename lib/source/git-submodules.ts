import type { GitAuth } from '../git/auth.ts';
import { GitError } from '../git/errors.ts';
import type { TreeEntry } from '../git/objects.ts';
import type { GitSession } from '../git/session.ts';
import { type GitUrl, originOf, resolveGitUrl } from '../git/url.ts';
import type { TreeFile } from '../tar.ts';
import { checkOut, type GitLimits } from './git-checkout.ts';
import { filesOf, readFiles } from './git-tree.ts';
import type { GitWorkspace } from './git-workspace.ts';

/** A submodule of a commit. */
export interface Submodule {
  /** Where its files go. */
  path: string;
  url: GitUrl;
  commit: string;
}

const MAX_DEPTH = 10;
const MAX_SUBMODULES = 200;

/**
 * The submodules among a commit's entries, with the URLs of its `.gitmodules`.
 * @throws {GitError} for a submodule without URL, or one that Git must not be given
 */
export async function listSubmodules(
  session: GitSession,
  gitDir: string,
  commit: string,
  entries: readonly TreeEntry[],
): Promise<Submodule[]> {
  const links = entries.filter(({ kind }) => kind === 'submodule');
  if (links.length === 0) return [];
  if (!entries.some(({ path }) => path === '.gitmodules')) throw withoutUrl(links[0]?.path ?? '');
  const { stdout } = await session.git(
    ['config', '-z', '--no-includes', `--blob=${commit}:.gitmodules`, '--list'],
    {
      what: 'read .gitmodules',
      gitDir,
      maxOutput: 1_000_000,
    },
  );
  const urls = urlsByPath(Buffer.from(stdout).toString('utf8'));
  return links.map(({ path, id }) => {
    const url = urls.get(path);
    if (url === undefined) throw withoutUrl(path);
    return { path, url: resolveGitUrl(session.url, url), commit: id };
  });
}

/** From the output of `git config -z --list`. */
function urlsByPath(output: string): Map<string, string> {
  const settings = new Map<string, { path?: string; url?: string }>();
  for (const entry of output.split('\0')) {
    const match = /^submodule\.(.+)\.(path|url)\n(.*)$/s.exec(entry);
    if (!match) continue;
    const [, name = '', key = '', value = ''] = match;
    settings.set(name, { ...settings.get(name), [key]: value });
  }
  const pairs = [...settings.values()].map(({ path, url }): [string, string] => [path ?? '', url ?? '']);
  return new Map(pairs.filter(([path, url]) => path !== '' && url !== ''));
}

/**
 * Fetches submodules, and theirs, into memory. The object's credential goes along only to the very server it is for: the URLs
 * are written by whoever writes the repository.
 */
export async function readSubmodules(
  workspace: GitWorkspace,
  submodules: readonly Submodule[],
  own: { url: GitUrl; auth: GitAuth },
  limits: GitLimits,
): Promise<TreeFile[]> {
  const files: TreeFile[] = [];
  const left = { files: limits.maxFiles, bytes: limits.maxBytes, submodules: MAX_SUBMODULES };
  for (let level = submodules, depth = 1; level.length > 0; depth += 1) {
    if (depth > MAX_DEPTH)
      throw new GitError('too-big', `submodules lie within each other more than ${MAX_DEPTH} deep`);
    const next: Submodule[] = [];
    for (const submodule of level) {
      left.submodules -= 1;
      if (left.submodules < 0)
        throw new GitError('too-big', `there are more than ${MAX_SUBMODULES} submodules`);
      const bounds = { ...limits, maxFiles: left.files, maxBytes: left.bytes };
      const found = await readSubmodule(workspace, submodule, own, bounds);
      files.push(...found.files);
      next.push(...found.submodules);
      left.files -= found.files.length;
      left.bytes -= found.files.reduce((sum, { data }) => sum + data.length, 0);
    }
    level = next;
  }
  return files;
}

async function readSubmodule(
  workspace: GitWorkspace,
  { path, url, commit }: Submodule,
  own: { url: GitUrl; auth: GitAuth },
  limits: GitLimits,
): Promise<{ files: TreeFile[]; submodules: Submodule[] }> {
  const auth = originOf(url) === originOf(own.url) ? own.auth : withoutCredentials(own.auth);
  return workspace.work({ url, auth, commit, use: 'files' }, async (session, gitDir) => {
    const entries = await checkOut(session, {
      gitDir,
      commit,
      ref: undefined,
      directories: undefined,
      limits,
    });
    const files = await readFiles(session, gitDir, filesOf(entries), limits, path);
    const inner = await listSubmodules(session, gitDir, commit, entries);
    return {
      files,
      submodules: inner.map((submodule) => ({ ...submodule, path: `${path}/${submodule.path}` })),
    };
  });
}

function withoutCredentials(auth: GitAuth): GitAuth {
  return auth.proxy === undefined ? {} : { proxy: auth.proxy };
}

function withoutUrl(path: string): GitError {
  return new GitError('refused', `the submodule ${path} has no URL in .gitmodules`);
}
