import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { run } from '../../lib/exec.ts';
import { eventually } from '../support/eventually.ts';
import { type ImageTeam, imageTeam } from '../support/image-automation.ts';
import { type Stage, startStage } from '../support/stage.ts';

let stage: Stage;
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
});
afterAll(() => stage?.stop());

const names = Array.from({ length: 20 }, (_, index) => `app-${String(index).padStart(2, '0')}`);

function app(name: string, namespace: string, image: string): string {
  return `kind: Pod\nmetadata: {name: ${name}}\nimage: ${image} # {"$imagepolicy": "${namespace}:${name}"}\n`;
}

async function twentyApps(): Promise<ImageTeam> {
  const team = await imageTeam(stage, {});
  const files = names.map((name) => [`apps/${name}.yaml`, app(name, team.name, `acme/${name}:1.0.0`)]);
  await team.repository.commit(Object.fromEntries(files));
  for (const name of names) await team.choose(name, { name: `acme/${name}`, tag: '1.0.0' });
  await team.automate({ update: { path: './apps', strategy: 'Setters' } });
  await team.seen(Object.fromEntries(names.map((name) => [name, '1.0.0'])));
  return team;
}

test('twenty images that come within two seconds become at most three commits, and none is missing', async () => {
  const team = await twentyApps();
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
  const team = await twentyApps();
  const { place, git, remove } = await personWith(team);
  try {
    for (let round = 1; round <= 50; round += 1) {
      const tag = `3.0.${round}`;
      const name = names[round % names.length] ?? '';
      // At the same time: the image is chosen, and a person pushes, on top of whatever is there by then.
      const bump = team.choose(name, { name: `acme/${name}`, tag }).then(() => team.send());
      writeFileSync(join(place, `note-${round}.txt`), `${round}\n`);
      await git('add', '--all');
      await git('commit', '--quiet', `--message=note ${round}`);
      await eventually(`the person has pushed note ${round}`, async () => {
        await git('pull', '--quiet', '--rebase');
        await git('push', '--quiet');
        return true;
      });
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
}, 300_000);

test('a person who is faster in every single one of fifty rounds loses nothing, and every image follows on top', async () => {
  const team = await twentyApps();
  const { place, git, remove } = await personWith(team);
  let notes = 0;
  isHurried = true;
  try {
    const wanted: Record<string, string> = {};
    for (let round = 1; round <= 50; round += 1) {
      const name = names[round % names.length] ?? '';
      const tag = `4.0.${round}`;
      beforePush = async () => {
        // Once a round: the second push of the automation gets through.
        beforePush = async () => {};
        writeFileSync(join(place, `note-${round}.txt`), `${round}\n`);
        await git('pull', '--quiet', '--rebase');
        await git('add', '--all');
        await git('commit', '--quiet', `--message=note ${round}`);
        await git('push', '--quiet');
        notes += 1;
      };
      wanted[name] = tag;
      await team.choose(name, { name: `acme/${name}`, tag });
      await team.send();
      await team.seen({ [name]: tag });
    }
    expect(notes).toBe(50);
    await git('pull', '--quiet', '--rebase');
    const { stdout } = await run('git', ['log', '--reverse', '--format=%an', '-100'], { cwd: place });
    const authors = Buffer.from(stdout).toString().trim().split('\n');
    expect(authors).toEqual(Array.from({ length: 50 }, () => ['Ada', 'bot']).flat());
    for (const [name, tag] of Object.entries(wanted))
      expect(await team.read(`apps/${name}.yaml`)).toBe(app(name, team.name, `acme/${name}:${tag}`));
  } finally {
    isHurried = false;
    beforePush = async () => {};
    remove();
  }
}, 300_000);

/** A clone of the team's repository in the hands of a person. */
async function personWith(team: ImageTeam) {
  const place = mkdtempSync(join(tmpdir(), 'slipway-person-'));
  const git = async (...args: string[]) => {
    const identity = ['-c', 'user.name=Ada', '-c', 'user.email=ada@example.com'];
    const { code, stderr } = await run('git', [...identity, ...args], { cwd: place, env: { HOME: place } });
    if (code !== 0) throw new Error(stderr);
  };
  await git('clone', '--quiet', team.repository.urlWithToken, '.');
  return { place, git, remove: () => rmSync(place, { recursive: true, force: true }) };
}
