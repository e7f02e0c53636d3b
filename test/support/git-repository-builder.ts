import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { run } from '../../lib/exec.ts';

const IDENTITY = {
  HOME: '/nonexistent',
  GIT_CONFIG_NOSYSTEM: '1',
  GIT_CONFIG_GLOBAL: '/dev/null',
  GIT_AUTHOR_NAME: 'Ada',
  GIT_AUTHOR_EMAIL: 'ada@example.com',
  GIT_COMMITTER_NAME: 'Grace',
  GIT_COMMITTER_EMAIL: 'grace@example.com',
};

/** A file's text; a symbolic link; an executable; or null to delete. */
export type FileSpec = string | Uint8Array | { link: string } | { executable: string } | null;

/** A Git work tree for tests, with a branch `main`. */
export interface TestRepository {
  /** The work tree; its bare repository is `<directory>/.git`. */
  directory: string;
  git(args: readonly string[], env?: Record<string, string>): Promise<string>;
  /** Writes files, commits them, and returns the commit's id. */
  commit(files: Record<string, FileSpec>, message?: string, options?: readonly string[]): Promise<string>;
  remove(): void;
}

/** Makes an empty repository. @param options for `git init`, such as `--object-format=sha256` */
export async function createTestRepository(options: readonly string[] = []): Promise<TestRepository> {
  const directory = mkdtempSync(join(tmpdir(), 'slipway-test-repo-'));
  async function call(
    command: string,
    args: readonly string[],
    env: Record<string, string> = {},
  ): Promise<string> {
    const result = await run(command, args, { cwd: directory, env: { ...IDENTITY, ...env } });
    if (result.code !== 0) throw new Error(`${command} ${args.join(' ')}: ${result.stderr}`);
    return Buffer.from(result.stdout).toString('utf8').trim();
  }
  const git: TestRepository['git'] = (args, env) => call('git', args, env);
  await git(['init', '--quiet', '--initial-branch=main', ...options]);
  return {
    directory,
    git,
    async commit(files, message = 'change', commitOptions = []) {
      for (const [path, content] of Object.entries(files)) write(join(directory, path), content);
      // One process of ours instead of three: to start one from a large process costs more than what it does.
      const script = 'git add --all --force && git commit --quiet --allow-empty "$@" && git rev-parse HEAD';
      return call('sh', ['-c', script, 'sh', `--message=${message}`, ...commitOptions]);
    },
    remove: () => rmSync(directory, { recursive: true, force: true }),
  };
}

function write(path: string, content: FileSpec): void {
  rmSync(path, { recursive: true, force: true });
  if (content === null) return;
  mkdirSync(dirname(path), { recursive: true });
  if (typeof content === 'string' || content instanceof Uint8Array) writeFileSync(path, content);
  else if ('link' in content) symlinkSync(content.link, path);
  else writeFileSync(path, content.executable, { mode: 0o755 });
}
