import { afterEach, beforeEach, expect, test } from 'vitest';
import { run } from '../../lib/exec.ts';
import { failureOf, type GitHarness, sourceInputs, startGitHarness } from '../support/git-source.ts';

let git: GitHarness;
beforeEach(async () => {
  git = await startGitHarness();
});
afterEach(() => git.close());

test('a server that never answers is given up at spec.timeout', async () => {
  git.server.intercept = () => true;
  const started = performance.now();
  const error = await failureOf(git.fetch({ timeout: '500ms' }));
  expect([error.reason, error.outcome]).toEqual(['GitOperationFailed', 'retry']);
  expect(error.message).toContain('no answer within 0.5 s (spec.timeout)');
  expect(performance.now() - started).toBeLessThan(5_000);
});

test('a server that stops in the middle is given up as well, and the next fetch is whole', async () => {
  let answers = 0;
  git.server.intercept = (request, response) => {
    if (request.method !== 'POST') return false;
    answers += 1;
    if (answers < 2) return false;
    response.writeHead(200, { 'content-type': 'application/x-git-upload-pack-result' });
    response.write('0011shallow-info\n');
    return true;
  };
  await failureOf(git.fetch({ timeout: '2s' }));
  git.server.intercept = undefined;
  expect(Object.keys((await git.fetch()).index)).toEqual(['a.yaml', 'kustomization.yaml']);
});

test('a run that is stopped ends at once and leaves no process behind', async () => {
  const controller = new AbortController();
  git.server.intercept = () => {
    controller.abort();
    return true;
  };
  const error = await failureOf(
    git.source.resolve(git.object(), sourceInputs({ signal: controller.signal })),
  );
  expect(error.message).toContain('aborted');
  const { stdout } = await run('ps', ['-eo', 'args']);
  expect(String(stdout)).not.toContain(`${git.server.url}/repo.git`);
});

test('a server that is not there, or answers with errors, is tried again', async () => {
  const nobody = await failureOf(git.fetch({ url: 'http://127.0.0.1:9/repo.git' }));
  expect([nobody.reason, nobody.outcome]).toEqual(['GitOperationFailed', 'retry']);
  for (const status of [500, 503, 429]) {
    git.server.intercept = (_request, response) => {
      response.writeHead(status).end('<html>sorry</html>');
      return true;
    };
    const error = await failureOf(git.fetch());
    expect([error.outcome, error.message]).toEqual([
      'retry',
      expect.stringContaining('does not answer as it should'),
    ]);
  }
});

test('a page instead of a repository is no repository', async () => {
  git.server.intercept = (_request, response) => {
    response.writeHead(200, { 'content-type': 'text/html' }).end('<!doctype html>\n<title>log in</title>\n');
    return true;
  };
  expect((await failureOf(git.fetch())).reason).toBe('GitOperationFailed');
});

test('a repository of 50,000 files is fetched within 512 MiB', async () => {
  const lines: string[] = [];
  for (let index = 0; index < 50_000; index += 1) {
    const text = `apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: c${index}\n# ${'x'.repeat(1_000)}\n`;
    lines.push(
      `M 100644 inline apps/d${index % 500}/c${index}.yaml\ndata ${Buffer.byteLength(text)}\n${text}\n`,
    );
  }
  const stream = `commit refs/heads/large\ncommitter A <a@x> 1700000000 +0000\ndata 5\nlarge\n${lines.join('')}`;
  const imported = await run('git', ['-C', git.repository.directory, 'fast-import', '--quiet'], {
    stdin: stream,
    timeout: 100_000,
  });
  expect(imported.stderr).toBe('');
  const child = new URL('../support/fetch-large.ts', import.meta.url).pathname;
  const { stdout, stderr } = await run(process.execPath, [child, git.url, git.directory], {
    timeout: 100_000,
  });
  expect(stderr).toBe('');
  const { files, maxRssBytes } = JSON.parse(String(stdout)) as { files: number; maxRssBytes: number };
  expect(files).toBe(50_000);
  expect(maxRssBytes).toBeLessThan(512 * 1024 * 1024);
});
