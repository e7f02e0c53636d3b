import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { type ImageTeam, imageTeam } from '../support/image-automation.ts';
import { conditionOf } from '../support/kube-objects.ts';
import { type Stage, startStage } from '../support/stage.ts';

let stage: Stage;
beforeAll(async () => {
  stage = await startStage();
});
afterAll(() => stage?.stop());

const author = { name: 'bot', email: 'bot@example.com' };
const OPEN = { 'slipway.dev/pull-request': 'open' };

function app(namespace: string, tag: string): string {
  return `kind: Pod\nmetadata: {name: web}\nimage: acme/web:${tag} # {"$imagepolicy": "${namespace}:web"}\n`;
}

async function teamWith(
  git: Record<string, unknown>,
  annotations: Record<string, string> = {},
): Promise<ImageTeam> {
  const team = await imageTeam(stage, {});
  await team.repository.commit({ 'web.yaml': app(team.name, '1.0.0') });
  await team.choose('web', { name: 'acme/web', tag: '1.1.0' });
  await team.automate({ git: { commit: { author }, ...git } }, annotations);
  return team;
}

async function choose(team: ImageTeam, tag: string): Promise<void> {
  await team.choose('web', { name: 'acme/web', tag });
  await team.send();
  await team.seen({ web: tag });
}

const ready = async (team: ImageTeam) => conditionOf(await team.automation())?.message ?? '';

describe('a branch of its own', () => {
  test('is made from what is checked out, anew for each image, and stays while nothing changes', async () => {
    const team = await teamWith({ push: { branch: 'auto' } });
    const { status } = await team.seen({ web: '1.1.0' });
    const main = await team.repository.head();
    expect(await team.read('web.yaml', 'auto')).toBe(app(team.name, '1.1.0'));
    expect(await team.read('web.yaml')).toBe(app(team.name, '1.0.0'));
    expect(status).toMatchObject({
      lastPushCommit: await team.repository.head('auto'),
      observedSourceRevision: `main@sha1:${main}`,
    });
    await team.repository.commit({ 'other.txt': 'x' });
    await team.ask();
    expect(await team.repository.head('auto')).toBe(status?.lastPushCommit);
    const base = await team.repository.head();
    await choose(team, '1.2.0');
    const [commit, parent] = await team.repository.log('auto');
    expect(commit?.message.trim()).toBe('Update from image update automation');
    expect(parent?.id).toBe(base);
    expect(await team.read('web.yaml', 'auto')).toBe(app(team.name, '1.2.0'));
  });

  test('is not overwritten where it holds the work of somebody else', async () => {
    const team = await teamWith({ push: { branch: 'auto' } });
    await team.seen({ web: '1.1.0' });
    const theirs = await team.repository.commit({ 'note.txt': 'mine' }, { branch: 'auto' });
    await team.choose('web', { name: 'acme/web', tag: '1.2.0' });
    await team.send();
    await team.failed(
      'GitOperationFailed',
      new RegExp(`branch auto holds commit ${theirs} by .*; merge it, or delete`),
    );
    expect(await team.repository.head('auto')).toBe(theirs);
    await team.repository.forcePush(await team.repository.head(), 'auto');
    await team.seen({ web: '1.2.0' });
    expect(await team.read('web.yaml', 'auto')).toBe(app(team.name, '1.2.0'));
  });

  test('may be pushed to a further ref as well', async () => {
    const team = await teamWith({ push: { refspec: 'refs/heads/main:refs/heads/mirror' } });
    const { status } = await team.seen({ web: '1.1.0' });
    expect(await team.repository.head()).toBe(status?.lastPushCommit);
    expect(await team.repository.head('mirror')).toBe(status?.lastPushCommit);
  });
});

describe('a pull request', () => {
  test('is opened once, says which images change, is updated in place, and closed when it is obsolete', async () => {
    const team = await teamWith({ push: { branch: 'auto' } }, OPEN);
    await team.seen({ web: '1.1.0' });
    const [first, ...none] = await team.repository.pullRequests();
    expect(none).toEqual([]);
    expect(first).toMatchObject({
      title: 'Update acme/web to 1.1.0',
      state: 'open',
      head: { ref: 'auto', sha: await team.repository.head('auto') },
      base: { ref: 'main' },
    });
    expect(first?.body).toContain(`| \`acme/web\` | \`acme/web:1.0.0\` | \`1.1.0\` | \`${team.name}:web\` |`);
    expect(first?.body).toContain('- `web.yaml`');
    expect(await ready(team)).toBe(`repository up-to-date; pull request ${first?.number} is open`);

    await team.choose('web', { name: 'acme/web', tag: '1.2.0', digest: `sha256:${'d'.repeat(64)}` });
    await team.send();
    await team.seen({ web: '1.2.0' });
    const [second, ...more] = await team.repository.pullRequests();
    expect(more).toEqual([]);
    expect(second).toMatchObject({ number: first?.number, title: 'Update acme/web to 1.2.0', state: 'open' });
    expect(second?.body).toContain(`\`1.2.0\`<br>\`sha256:${'d'.repeat(64)}\``);

    await team.repository.commit({ 'web.yaml': app(team.name, `1.2.0@sha256:${'d'.repeat(64)}`) });
    const asked = await team.ask();
    expect(conditionOf(asked)?.message).toContain('was closed: nothing is left to change');
    expect((await team.repository.pullRequests())[0]?.state).toBe('closed');
  });

  test('that is merged is done, and one that somebody closes is not opened again for the same image', async () => {
    const team = await teamWith({ push: { branch: 'auto' } }, OPEN);
    await team.seen({ web: '1.1.0' });
    const [first] = await team.repository.pullRequests();
    await team.repository.merge(first?.number ?? 0);
    await team.ask();
    expect(await team.read('web.yaml')).toBe(app(team.name, '1.1.0'));
    expect(await team.repository.pullRequests()).toHaveLength(1);

    await choose(team, '1.2.0');
    const [, second] = await team.repository.pullRequests();
    expect(second).toMatchObject({ state: 'open', title: 'Update acme/web to 1.2.0' });
    await team.repository.editPullRequest(second?.number ?? 0, { state: 'closed' });
    await team.ask();
    expect(await ready(team)).toMatch(
      /pull request \d+ with these images was closed; newer ones are waited for/,
    );
    expect(await team.repository.pullRequests()).toHaveLength(2);
    await choose(team, '1.3.0');
    expect((await team.repository.pullRequests())[2]).toMatchObject({
      state: 'open',
      title: 'Update acme/web to 1.3.0',
    });
  });

  test('is merged by itself once its checks have passed, and not before', async () => {
    const team = await teamWith({ push: { branch: 'auto' } }, { 'slipway.dev/pull-request': 'merge' });
    await team.seen({ web: '1.1.0' });
    expect(await ready(team)).toMatch(/pull request \d+ is merged when its checks pass/);
    const commit = await team.repository.head('auto');
    await team.repository.setStatus(commit, 'pending');
    await team.ask();
    expect((await team.repository.pullRequests())[0]).toMatchObject({ state: 'open', merged: false });
    await team.repository.setStatus(commit, 'success');
    await eventually('it is merged', async () => {
      await team.ask();
      return (await team.repository.pullRequests())[0]?.merged;
    });
    expect(await team.read('web.yaml')).toBe(app(team.name, '1.1.0'));
  });

  test('needs a branch of its own, and a mode that is known', async () => {
    const team = await teamWith({}, OPEN);
    await team.failed('InvalidSourceConfiguration', /set spec\.git\.push\.branch/);
    expect(await team.read('web.yaml')).toBe(app(team.name, '1.0.0'));
    await stage.objects.patch('imageupdateautomations', team.name, 'images', {
      metadata: { annotations: { 'slipway.dev/pull-request': 'yes' } },
      spec: { git: { push: { branch: 'auto' } } },
    });
    await team.failed('InvalidSourceConfiguration', /must be open or merge, not "yes"/);
  });
});
