import { explain, GitError } from './errors.ts';
import { followingRedirects } from './remote.ts';
import type { GitSession } from './session.ts';

/** What to push. */
export interface PushRequest {
  gitDir: string;
  /** The full id of the commit. */
  commit: string;
  /** Full names of the refs that are to point at it, such as `refs/heads/main`. */
  refs: readonly PushedRef[];
  /** Push options, sent as `key=value`. */
  options?: Readonly<Record<string, string>>;
}

/** A ref and what may be done to it. */
export interface PushedRef {
  name: string;
  /**
   * Overwrite what stands there, if that is still this commit (the empty string: nothing). Undefined: only go forward.
   */
  overwrite?: string;
  /** Overwrite whatever stands there: a leading `+` of a refspec. */
  force?: boolean;
}

/** `moved`: somebody was faster; nothing of theirs is lost, and the work is to be done again on top of it. */
export type PushResult = 'pushed' | 'moved';

/** What servers say when a ref is no longer what it was. */
const MOVED =
  /fetch first|non-fast-forward|atomic (push failed|transaction failed)|stale info|incorrect old value|cannot lock ref|failed to (update|lock)|reference already exists|unable to (create|update) .*lock/i;

/**
 * Pushes a commit. Without `overwrite` the server only takes it on top of what it has. Of several refs all move or none, so that one which
 * somebody else has moved does not stay behind for good.
 * @throws {GitError} `refused` when a hook or a rule of the server rejects it, with what the server says; `auth` without the right to write
 */
export async function pushCommit(session: GitSession, request: PushRequest): Promise<PushResult> {
  const { commit, refs, gitDir } = request;
  const what = `push to ${session.url.href}`;
  const leases = refs.flatMap(({ name, overwrite }) =>
    overwrite === undefined ? [] : [`--force-with-lease=${name}:${overwrite}`],
  );
  const options = Object.entries(request.options ?? {}).map(
    ([key, value]) => `--push-option=${key}=${value}`,
  );
  if (options.some((option) => /[\r\n]/.test(option)))
    throw new GitError('refused', `cannot ${what}: push options must not hold line breaks`);
  const specs = refs.map(({ name, force }) => `${force ? '+' : ''}${commit}:${name}`);
  const push = async (together: readonly string[]): Promise<PushResult> => {
    const { code, stdout, stderr } = await session.git(
      [
        'push',
        ...together,
        '--porcelain',
        '--no-verify',
        '--recurse-submodules=no',
        ...leases,
        ...options,
        '--',
        session.url.href,
        ...specs,
      ],
      { what, gitDir, anyCode: true },
    );
    if (code === 0) return 'pushed';
    const refusals = refusalsIn(Buffer.from(stdout).toString('utf8'));
    if (refusals.length > 0 && refusals.every((reason) => MOVED.test(reason))) return 'moved';
    if (refusals.length > 0) throw refused(what, refusals, stderr);
    if (together.length > 0 && /does not support --atomic/i.test(stderr)) return push([]);
    throw explained(what, stderr);
  };
  return followingRedirects(session, () => push(refs.length > 1 ? ['--atomic'] : []));
}

/** The lines of refs that were refused: `!\t<from>:<to>\t[remote rejected] (<reason>)`. https://git-scm.com/docs/git-push#_output */
function refusalsIn(output: string): string[] {
  return output
    .split('\n')
    .filter((line) => line.startsWith('!'))
    .map((line) => line.split('\t').slice(2).join(' '));
}

function refused(what: string, refusals: readonly string[], stderr: string): GitError {
  const said = stderr
    .split('\n')
    .filter((line) => /^remote:/.test(line))
    .map((line) => line.replace(/^remote:\s*/, '').trim())
    .filter((line) => line !== '')
    .slice(0, 5);
  const message = [`cannot ${what}: the server refuses it`, ...refusals, ...said].join(': ').slice(0, 1_000);
  return new GitError('refused', message);
}

/** The same faults as in reading, but for what they mean here. */
function explained(what: string, stderr: string): GitError {
  if (/does not support push options/i.test(stderr))
    return new GitError(
      'refused',
      `cannot ${what}: the server takes no push options; remove spec.git.push.options`,
    );
  if (/returned error: 403|denied to|not allowed to push|read.?only|deploy key/i.test(stderr))
    return new GitError('auth', `cannot ${what}: the credentials have no right to write to this repository`);
  return explain(what, stderr, []);
}
