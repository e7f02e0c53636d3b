import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { run } from '../../lib/exec.ts';
import {
  failureOf,
  filesOf,
  GENEROUS,
  type GitHarness,
  sourceInputs,
  startGitHarness,
} from '../support/git-source.ts';

let git: GitHarness;
beforeEach(async () => {
  git = await startGitHarness();
});
afterEach(() => git.close());

async function plumbing(args: readonly string[], stdin: Uint8Array | string): Promise<string> {
  const { stdout, stderr, code } = await run('git', ['-C', git.repository.directory, ...args], { stdin });
  if (code !== 0) throw new Error(stderr);
  return String(stdout).trim();
}

/** Points `main` at a commit with a tree that Git itself would not write. */
async function commitTree(entries: readonly { mode: string; name: string; id: string }[]): Promise<void> {
  const raw = Buffer.concat(
    entries.map(({ mode, name, id }) =>
      Buffer.concat([Buffer.from(`${mode} ${name}\0`), Buffer.from(id, 'hex')]),
    ),
  );
  const tree = await plumbing(['hash-object', '-t', 'tree', '-w', '--literally', '--stdin'], raw);
  const person = 'Eve <eve@example.com> 1700000000 +0000';
  const text = `tree ${tree}\nauthor ${person}\ncommitter ${person}\n\nevil\n`;
  const commit = await plumbing(['hash-object', '-t', 'commit', '-w', '--stdin'], text);
  await git.repository.git(['update-ref', 'refs/heads/main', commit]);
}

const blob = (text: string) => plumbing(['hash-object', '-w', '--stdin'], text);

test.each([
  ['ext::sh -c "touch pwned"'],
  ['EXT::sh -c x'],
  ['file:///etc'],
  ['--upload-pack=touch pwned'],
  ['ssh://-oProxyCommand=touch%20pwned/x'],
  ['http://host/repo\n[core]'],
])('the URL %j is refused for good', async (url) => {
  // Past the schema, as an object of an older cluster might come.
  const object = git.object();
  const target = { ...object, spec: { ...object.spec, url } };
  const error = await failureOf(git.source.resolve(target, sourceInputs()));
  expect([error.reason, error.outcome]).toEqual(['URLInvalid', 'stall']);
  expect(existsSync('pwned')).toBe(false);
});

test.each(['..', '.', '.git', '.GIT', 'a/b'])(
  'a tree with the name %j is refused when it comes',
  async (name) => {
    const id = await blob('evil');
    await commitTree([{ mode: '100644', name, id }]);
    const error = await failureOf(git.fetch());
    expect(error.reason).toBe('GitOperationFailed');
    expect(existsSync(join(git.directory, '..', 'evil'))).toBe(false);
  },
);

test('a tree in which a name stands twice is refused', async () => {
  const [one, two] = [await blob('one'), await blob('two')];
  await commitTree([
    { mode: '100644', name: 'a.yaml', id: one },
    { mode: '100644', name: 'a.yaml', id: two },
  ]);
  expect((await failureOf(git.fetch())).reason).toBe('GitOperationFailed');
});

test('links are never followed, wherever they lead', async () => {
  await git.repository.commit({
    absolute: { link: '/etc/passwd' },
    up: { link: '../../../../../etc/passwd' },
    directory: { link: '.' },
    dangling: { link: 'nowhere' },
    cycle: { link: 'cycle' },
    prefix: { link: './kustomization.yaml/../../x' },
    'git-config': { link: '.git/config' },
    'b.yaml': 'b: 1\n',
  });
  expect(Object.keys(filesOf(await git.fetch()))).toEqual(['a.yaml', 'b.yaml', 'kustomization.yaml']);
});

test('a path below a link is a path of the tree, and nothing else', async () => {
  const [link, text] = [await blob('/etc'), await blob('text')];
  const inner = Buffer.concat([Buffer.from('100644 passwd\0'), Buffer.from(text, 'hex')]);
  const tree = await plumbing(['hash-object', '-t', 'tree', '-w', '--stdin'], inner);
  await commitTree([
    { mode: '40000', name: 'dir', id: tree },
    { mode: '120000', name: 'link', id: link },
  ]);
  expect(filesOf(await git.fetch())).toEqual({ 'dir/passwd': 'text' });
});

test('names that differ only in case stay two files', async () => {
  await git.repository.commit({ 'A.yaml': 'upper', 'a.yaml': 'lower' });
  expect(filesOf(await git.fetch())).toMatchObject({ 'A.yaml': 'upper', 'a.yaml': 'lower' });
});

test('attributes, filters and hooks of a repository run nothing', async () => {
  await git.repository.commit({
    '.gitattributes': '* filter=evil diff=evil export-subst\na.yaml export-ignore\n',
    '.lfsconfig': '[lfs]\n\turl = http://127.0.0.1:9\n',
    'a.yaml': '$Format:%H$\r\n',
    'hooks/post-checkout': { executable: '#!/bin/sh\ntouch pwned\n' },
  });
  expect(filesOf(await git.fetch())['a.yaml']).toBe('$Format:%H$\r\n');
});

test('too many files are refused before they are read', async () => {
  await git.repository.commit(
    Object.fromEntries(Array.from({ length: 30 }, (_, index) => [`f${index}`, 'x'])),
  );
  const source = git.createSource({ limits: { ...GENEROUS, maxFiles: 20 } });
  const error = await failureOf(source.fetch(git.object(), undefined, sourceInputs()));
  expect(error.message).toMatch(/more than 20 files.*spec\.sparseCheckout/);
});

test('too many bytes are refused before they are read', async () => {
  await git.repository.commit({ big: Buffer.alloc(3_000_000) });
  const source = git.createSource({ limits: { ...GENEROUS, maxBytes: 2_000_000 } });
  const error = await failureOf(source.fetch(git.object(), undefined, sourceInputs()));
  expect(error.message).toMatch(/2\.9 MiB, over the limit of 1\.9 MiB.*spec\.ignore/);
});

test('what is ignored does not count', async () => {
  await git.repository.commit({ big: Buffer.alloc(3_000_000) });
  const source = git.createSource({ limits: { ...GENEROUS, maxBytes: 2_000_000 } });
  const fetched = await source.fetch(git.object({ ignore: '/big' }), undefined, sourceInputs());
  expect(Object.keys(fetched.index)).toEqual(['a.yaml', 'kustomization.yaml']);
});

test('a repository that is too large for the disk is stopped', async () => {
  const noise = await run('head', ['-c', '4000000', '/dev/urandom']);
  await git.repository.commit({ noise: noise.stdout });
  const source = git.createSource({ limits: { ...GENEROUS, maxRepositoryBytes: 1_000_000 } });
  const error = await failureOf(source.fetch(git.object(), undefined, sourceInputs()));
  expect(error.message).toMatch(/is larger than 1 MiB.*raise the limit/);
});

test('a repository with many refs is searched in reasonable time', async () => {
  const head = await git.repository.git(['rev-parse', 'HEAD']);
  const lines = Array.from({ length: 20_000 }, (_, index) => `create refs/tags/v0.${index}.0 ${head}\n`).join(
    '',
  );
  await plumbing(['update-ref', '--stdin'], lines);
  await git.repository.git(['pack-refs', '--all']);
  expect(await git.source.resolve(git.object(), sourceInputs())).toBe(`main@sha1:${head}`);
  const newest = await git.source.resolve(git.object({ ref: { semver: '*' } }), sourceInputs());
  expect(newest).toBe(`v0.19999.0@sha1:${head}`);
});

test('a pack that was changed on its way is refused', async () => {
  git.server.tamper = (chunk) => {
    const at = chunk.indexOf('PACK');
    if (at < 0) return chunk;
    const changed = Buffer.from(chunk);
    const place = Math.min(chunk.length - 1, at + 60);
    changed[place] = (changed[place] ?? 0) ^ 0xff;
    return changed;
  };
  const error = await failureOf(git.fetch());
  expect(error.reason).toBe('GitOperationFailed');
  git.server.tamper = undefined;
  expect(filesOf(await git.fetch())['a.yaml']).toBe('a: 1\n');
});
