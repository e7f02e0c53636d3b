import { createReadStream, existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { run } from '../../lib/exec.ts';
import { failureOf, filesOf, type GitHarness, startGitHarness } from '../support/git-source.ts';

let git: GitHarness;
let first: string;
beforeEach(async () => {
  git = await startGitHarness();
  first = await git.repository.git(['rev-parse', 'HEAD']);
  for (let round = 2; round < 5; round += 1) await git.repository.commit({ 'a.yaml': `a: ${round}\n` });
});
afterEach(() => git.close());

/** Makes the server speak the first version of the protocol, in which it hands out no commits by id. */
function speakVersion0(): void {
  git.server.intercept = (request) => {
    delete request.headers['git-protocol'];
    return false;
  };
}

/** Serves the bare files, as a plain web server does. */
function serveFiles(): void {
  git.server.intercept = (request, response) => {
    const { pathname } = new URL(request.url ?? '/', git.server.url);
    const file = join(git.repository.directory, '.git', pathname.replace('/repo.git/', ''));
    if (!existsSync(file) || !statSync(file).isFile()) response.writeHead(404).end();
    else createReadStream(file).pipe(response.writeHead(200, { 'content-type': 'text/plain' }));
    return true;
  };
}

test('the newest commit comes without history', async () => {
  await git.fetch();
  const mirror = join(git.directory, 'mirrors');
  expect(await countCommits(mirror)).toBe(1);
});

test('a server that hands out no commits by id is asked for the ref, deeper and deeper', async () => {
  speakVersion0();
  expect(filesOf(await git.fetch())['a.yaml']).toBe('a: 4\n');
  git.server.requests.length = 0;
  const old = await git.fetch({ ref: { commit: first, branch: 'main' } });
  expect(filesOf(old)['a.yaml']).toBe('a: 1\n');
  // By its id, the newest of the ref, and the whole ref.
  expect(git.server.requests.filter(({ method }) => method === 'GET')).toHaveLength(3);
  const anywhere = await git.fetch({ ref: { commit: first } });
  expect(filesOf(anywhere)['a.yaml']).toBe('a: 1\n');
});

test('a commit that is not on the branch is not there, for such a server', async () => {
  speakVersion0();
  const error = await failureOf(git.fetch({ ref: { commit: '1234567890'.repeat(4), branch: 'main' } }));
  expect(error.message).toContain('has no commit 1234567890');
});

test('a plain web server works as well', async () => {
  await git.repository.git(['repack', '-adq']);
  await git.repository.git(['update-server-info']);
  serveFiles();
  expect(filesOf(await git.fetch())['a.yaml']).toBe('a: 4\n');
});

test('a server without filters still gives sparse trees', async () => {
  await git.repository.commit({ 'apps/x.yaml': 'x', 'other/y.yaml': 'y' });
  await git.repository.git(['config', 'uploadpack.allowFilter', 'false']);
  expect(Object.keys(filesOf(await git.fetch({ sparseCheckout: ['apps'] })))).toEqual(['apps/x.yaml']);
});

async function countCommits(mirrors: string): Promise<number> {
  const [name = ''] = readdirSync(mirrors);
  const { stdout } = await run('git', ['--git-dir', join(mirrors, name), 'rev-list', '--all', '--count']);
  return Number(String(stdout));
}
