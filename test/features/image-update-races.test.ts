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
beforeAll(async () => {
  stage = await startStage();
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
  const place = mkdtempSync(join(tmpdir(), 'slipway-person-'));
  const git = async (...args: string[]) => {
    const identity = ['-c', 'user.name=Ada', '-c', 'user.email=ada@example.com'];
    const { code, stderr } = await run('git', [...identity, ...args], { cwd: place, env: { HOME: place } });
    if (code !== 0) throw new Error(stderr);
  };
  try {
    await git('clone', '--quiet', team.repository.urlWithToken, '.');
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
    rmSync(place, { recursive: true, force: true });
  }
}, 300_000);
