import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { run } from '../../lib/exec.ts';
import { eventually } from '../support/eventually.ts';
import { createTestRepository, type TestRepository } from '../support/git-repository-builder.ts';
import { startGitServer } from '../support/git-server.ts';
import { type ImageTeam, imageTeam } from '../support/image-automation.ts';
import { type Stage, startStage } from '../support/stage.ts';

let stage: Stage;
/** One for all tests: what makes their time is the fifty rounds, not to begin twenty apps anew. */
let team: ImageTeam;
/** Called when a commit of an automation is about to be pushed: everything it goes by has been looked at. */
let beforePush: () => Promise<void> = async () => {};
/** Whether pauses of automations are cut short. */
let isHurried = false;
beforeAll(async () => {
  stage = await startStage({
    wrap: (ctx) => {
      const { leases } = ctx.index;
      const check = leases.check.bind(leases);
      leases.check = async (lease) => {
        if (lease.name.startsWith('image-writes/')) await beforePush();
        return check(lease);
      };
      // Fifty rounds would take minutes with the pauses that gather images that come together.
      const sleep: typeof ctx.sleep = (ms, signal) =>
        ctx.sleep(isHurried && ms <= 2_000 ? ms / 20 : ms, signal);
      return { ...ctx, sleep };
    },
  });
  team = await twentyApps();
});
afterAll(() => stage?.stop());

const names = Array.from({ length: 20 }, (_, index) => `app-${String(index).padStart(2, '0')}`);

function app(name: string, namespace: string, image: string): string {
  return `kind: Pod\nmetadata: {name: ${name}}\nimage: ${image} # {"$imagepolicy": "${namespace}:${name}"}\n`;
}

/** @param plain a repository at a Git server without Gitea, and its URL */
async function twentyApps(plain?: { repository: TestRepository; url: string }): Promise<ImageTeam> {
  const source = plain && { url: plain.url, secretRef: undefined };
  const made = await imageTeam(stage, {}, source);
  const files = names.map((name) => [`apps/${name}.yaml`, app(name, made.name, `acme/${name}:1.0.0`)]);
  await (plain?.repository ?? made.repository).commit(Object.fromEntries(files));
  await Promise.all(names.map((name) => made.choose(name, { name: `acme/${name}`, tag: '1.0.0' })));
  await made.automate({ update: { path: './apps', strategy: 'Setters' } });
  await made.seen(Object.fromEntries(names.map((name) => [name, '1.0.0'])));
  return made;
}

test('twenty images that come within two seconds become at most three commits, and none is missing', async () => {
  const before = await team.repository.head();
  for (const name of names) {
    await Promise.all([
      team.choose(name, { name: `acme/${name}`, tag: '2.0.0' }).then(() => team.send()),
      delay(2_000 / names.length),
    ]);
  }
  await team.seen(Object.fromEntries(names.map((name) => [name, '2.0.0'])));
  const log = await team.repository.log();
  const commits = log.findIndex(({ id }) => id === before);
  expect(commits).toBeGreaterThan(0);
  expect(commits).toBeLessThanOrEqual(3);
  for (const name of names) expect(await team.read(`apps/${name}.yaml`)).toContain(`acme/${name}:2.0.0 #`);
});

test('a person who pushes to the same branch all the while loses nothing, and no bump is lost', async () => {
  const { place, git, remove } = await aPerson();
  try {
    for (let round = 1; round <= 50; round += 1) {
      const tag = `3.0.${round}`;
      const name = names[round % names.length] ?? '';
      // At the same time: the image is chosen, and a person pushes, on top of whatever is there by then.
      const bump = team.choose(name, { name: `acme/${name}`, tag }).then(() => team.send());
      writeFileSync(join(place, `note-${round}.txt`), `${round}\n`);
      await git('add', '--all');
      await git('commit', '--quiet', `--message=note ${round}`);
      await eventually(`the person has pushed note ${round}`, () =>
        git('push', '--quiet').then(
          () => true,
          async () => void (await git('pull', '--quiet', '--rebase')),
        ),
      );
      await bump;
    }
    const last = Object.fromEntries(
      names.map((name, index) => {
        const rounds = Array.from({ length: 50 }, (_, round) => round + 1).filter(
          (n) => n % names.length === index,
        );
        return [name, `3.0.${Math.max(...rounds)}`];
      }),
    );
    await team.seen(last);
    await git('pull', '--quiet', '--rebase');
    for (const [name, tag] of Object.entries(last))
      expect(await team.read(`apps/${name}.yaml`)).toBe(app(name, team.name, `acme/${name}:${tag}`));
    const { stdout } = await run('git', ['ls-files', 'note-*'], { cwd: place });
    expect(Buffer.from(stdout).toString().trim().split('\n')).toHaveLength(50);
    await git('fsck', '--strict');
  } finally {
    remove();
  }
}, 900_000);

test('a person who is faster in every single one of fifty rounds loses nothing, and every image follows on top', async () => {
  // Without Gitea, whose hooks would take most of the time: it is Git that refuses to go back.
  const [server, repository] = [await startGitServer(), await createTestRepository()];
  await repository.git(['config', 'http.receivepack', 'true']);
  await repository.git(['config', 'receive.denyCurrentBranch', 'updateInstead']);
  await repository.commit({ 'a.txt': 'a' });
  server.add('shop', join(repository.directory, '.git'));
  try {
    const { name: namespace, ...other } = await twentyApps({ repository, url: `${server.url}/shop` });
    const before = await repository.git(['rev-parse', 'main']);
    let notes = 0;
    isHurried = true;
    const wanted: Record<string, string> = {};
    for (let round = 1; round <= 50; round += 1) {
      const name = names[round % names.length] ?? '';
      const tag = `4.0.${round}`;
      beforePush = async () => {
        // Once a round: the second push of the automation gets through.
        beforePush = async () => {};
        await repository.commit({ [`note-${round}.txt`]: `${round}\n` });
        notes += 1;
      };
      wanted[name] = tag;
      await other.choose(name, { name: `acme/${name}`, tag });
      await other.send();
      await other.seen({ [name]: tag });
    }
    expect(notes).toBe(50);
    const authors = await repository.git(['log', '--reverse', '--format=%an', `${before}..main`]);
    expect(authors.split('\n')).toEqual(Array.from({ length: 50 }, () => ['Ada', 'bot']).flat());
    for (const [name, tag] of Object.entries(wanted))
      expect(`${await repository.git(['show', `main:apps/${name}.yaml`])}\n`).toBe(
        app(name, namespace, `acme/${name}:${tag}`),
      );
    expect((await repository.git(['ls-files', 'note-*'])).split('\n')).toHaveLength(50);
  } finally {
    isHurried = false;
    beforePush = async () => {};
    await server.close();
    repository.remove();
  }
}, 900_000);

test('when a person is faster, the ref of push.refspec stays as well, and both move together on top of theirs', async () => {
  const { objects } = stage;
  const push = { refspec: 'refs/heads/main:refs/heads/mirror' };
  await objects.patch('imageupdateautomations', team.name, 'images', { spec: { git: { push } } });
  const image = (tag: string) => ({ name: 'acme/app-00', tag });
  await team.choose('app-00', image('5.0.0'));
  await team.send();
  await team.seen({ 'app-00': '5.0.0' });
  const first = await team.repository.head();
  expect(await team.repository.head('mirror')).toBe(first);

  const mirrors: string[] = [];
  let theirs = '';
  isHurried = true;
  beforePush = async () => {
    mirrors.push(await team.repository.head('mirror'));
    if (theirs === '') theirs = await team.repository.commit({ 'theirs.txt': 'theirs\n' });
  };
  try {
    await team.choose('app-00', image('5.1.0'));
    await team.send();
    const { status } = await team.seen({ 'app-00': '5.1.0' });
    expect(mirrors).toEqual([first, first]);
    expect(await team.repository.head()).toBe(status?.lastPushCommit);
    expect(await team.repository.head('mirror')).toBe(status?.lastPushCommit);
    expect((await team.repository.log()).map(({ id }) => id).slice(1, 3)).toEqual([theirs, first]);

    beforePush = async () => {};
    const own = await team.repository.commit({ 'own.txt': 'own\n' }, { branch: 'mirror' });
    await team.choose('app-00', image('5.2.0'));
    await team.send();
    await team.failed(
      'GitOperationFailed',
      new RegExp(`refs/heads/mirror of spec.git.push.refspec holds commit ${own}, .*begin with \\+`),
    );
    expect(await team.repository.head()).toBe(status?.lastPushCommit);
    await team.repository.forcePush(await team.repository.head(), 'mirror');
    await team.send();
    await team.seen({ 'app-00': '5.2.0' });
    expect(await team.repository.head('mirror')).toBe(await team.repository.head());
  } finally {
    isHurried = false;
    beforePush = async () => {};
  }
});

/** A clone of the team's repository in the hands of a person. */
async function aPerson() {
  const place = mkdtempSync(join(tmpdir(), 'slipway-person-'));
  const git = async (...args: string[]) => {
    const identity = ['-c', 'user.name=Ada', '-c', 'user.email=ada@example.com'];
    const { code, stderr } = await run('git', [...identity, ...args], { cwd: place, env: { HOME: place } });
    if (code !== 0) throw new Error(stderr);
  };
  await git('clone', '--quiet', team.repository.urlWithToken, '.');
  return { place, git, remove: () => rmSync(place, { recursive: true, force: true }) };
}
