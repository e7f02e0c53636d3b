import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { run } from '../../lib/exec.ts';
import { fetchCommit } from '../../lib/git/fetch.ts';
import { createMirrors, type Mirrors } from '../../lib/git/mirror.ts';
import { openSession } from '../../lib/git/session.ts';
import { parseGitUrl } from '../../lib/git/url.ts';
import {
  filesOf,
  GENEROUS,
  type GitHarness,
  sourceInputs,
  startGitHarness,
  withSecret,
} from '../support/git-source.ts';

let git: GitHarness;
beforeEach(async () => {
  git = await startGitHarness();
});
afterEach(() => git.close());

const mirrors = () =>
  readdirSync(join(git.directory, 'mirrors')).map((name) => join(git.directory, 'mirrors', name));

/** The mirror, and the files in its packs. */
function mirror(): { path: string; packs: string[] } {
  const [path = ''] = mirrors();
  const packs = readdirSync(join(path, 'objects', 'pack')).filter((name) => name.endsWith('.pack'));
  return { path, packs: packs.map((name) => join(path, 'objects', 'pack', name)) };
}

test('a second push costs one small fetch into the same mirror', async () => {
  const noise = await run('head', ['-c', '500000', '/dev/urandom']);
  await git.repository.commit({ noise: noise.stdout });
  await git.fetch();
  await git.repository.commit({ 'a.yaml': 'a: 2\n' });
  let bytes = 0;
  git.server.tamper = (chunk) => {
    bytes += chunk.length;
    return chunk;
  };
  expect(filesOf(await git.fetch())['a.yaml']).toBe('a: 2\n');
  expect(bytes).toBeLessThan(20_000);
  expect(mirrors()).toHaveLength(1);
});

test('a commit that is here already is not fetched again', async () => {
  const { revision } = await git.fetch();
  git.server.requests.length = 0;
  expect(filesOf(await git.source.fetch(git.object(), revision, sourceInputs()))['a.yaml']).toBe('a: 1\n');
  expect(git.server.requests).toEqual([]);
});

test('another credential never sees what was fetched with the first', async () => {
  const login = { secretRef: { name: 'login' } };
  await git.fetch(login, withSecret({ username: 'ada', password: 'one' }));
  await git.fetch(login, withSecret({ username: 'ada', password: 'two' }));
  await git.fetch();
  expect(mirrors()).toHaveLength(3);
});

test.each([
  [
    'its packs are gone',
    () => {
      for (const pack of mirror().packs) rmSync(pack);
    },
  ],
  [
    'a pack is cut off',
    () => {
      for (const pack of mirror().packs) {
        rmSync(pack);
        writeFileSync(pack, 'PACK');
      }
    },
  ],
  ['its HEAD is gone', () => rmSync(join(mirror().path, 'HEAD'))],
  ['its configuration is nonsense', () => writeFileSync(join(mirror().path, 'config'), '[core\n')],
  [
    'a lock was left by a process that was killed',
    () => writeFileSync(join(mirror().path, 'shallow.lock'), ''),
  ],
  [
    'a ref points at nothing',
    () => writeFileSync(join(mirror().path, 'refs', 'slipway', 'x'), `${'1'.repeat(40)}\n`),
  ],
  [
    'it is half of a repository',
    () => {
      const { path } = mirror();
      rmSync(path, { recursive: true });
      mkdirSync(join(path, 'objects', 'pack'), { recursive: true });
    },
  ],
  [
    'something was left of throwing it away',
    () => mkdirSync(`${mirror().path}.old/objects`, { recursive: true }),
  ],
])('a mirror is healed when %s', async (_what, damage) => {
  await git.fetch();
  damage();
  await git.repository.commit({ 'a.yaml': 'a: 2\n' });
  expect(filesOf(await git.fetch())['a.yaml']).toBe('a: 2\n');
});

/** Fetches the head of `main` into a mirror of its own. */
async function fetchInto(mirrorsOf: Mirrors, key: string): Promise<void> {
  const deps = { run, temporaryDirectory: git.directory, now: Date.now };
  const target = {
    url: parseGitUrl(git.url),
    auth: {},
    timeout: 60_000,
    signal: new AbortController().signal,
  };
  const session = await openSession(deps, target);
  const commit = await git.repository.git(['rev-parse', 'main']);
  await mirrorsOf.use(session, [key], 'sha1', (gitDir) =>
    fetchCommit(session, { gitDir, commit, ref: undefined, maxBytes: GENEROUS.maxRepositoryBytes }),
  );
  await session.close();
}

test('it is begun anew before it holds too many packs', async () => {
  const few = createMirrors(join(git.directory, 'mirrors'), { maxBytes: 1_000_000, maxPacks: 3 });
  const counts: number[] = [];
  for (let round = 0; round < 6; round += 1) {
    await git.repository.commit({ 'a.yaml': `a: ${round}\n` });
    await fetchInto(few, 'one');
    counts.push(mirror().packs.length);
  }
  expect(counts).toEqual([1, 2, 3, 1, 2, 3]);
});

test('it is begun anew when it has grown too large', async () => {
  const small = createMirrors(join(git.directory, 'mirrors'), { maxBytes: 1 });
  await fetchInto(small, 'one');
  await git.repository.commit({ 'a.yaml': 'a: 2\n' });
  await fetchInto(small, 'one');
  expect(mirror().packs).toHaveLength(1);
});

test('mirrors that have not been used for longest make room for new ones', async () => {
  const two = createMirrors(join(git.directory, 'mirrors'), { maxBytes: 1_000_000, maxMirrors: 2 });
  await fetchInto(two, 'one');
  await fetchInto(two, 'two');
  await fetchInto(two, 'one');
  const before = mirrors();
  await fetchInto(two, 'three');
  expect(mirrors()).toHaveLength(2);
  git.server.requests.length = 0;
  await fetchInto(two, 'one');
  expect([before.length, git.server.requests.length]).toEqual([2, 0]);
});

test('two objects of one repository can be fetched at the same time', async () => {
  await git.repository.git(['branch', 'other']);
  await git.repository.commit({ 'a.yaml': 'main\n' });
  await git.repository.git(['checkout', '--quiet', 'other']);
  await git.repository.commit({ 'a.yaml': 'other\n' });
  const branches = ['main', 'other', 'main', 'other', 'main', 'other'];
  const fetched = await Promise.all(branches.map((branch) => git.fetch({ ref: { branch } })));
  expect(fetched.map((one) => filesOf(one)['a.yaml']?.trim())).toEqual(branches);
});
