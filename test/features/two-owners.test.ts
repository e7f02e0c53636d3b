import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { configMap, yaml } from '../support/fleet-repository.ts';
import { conditionOf } from '../support/kube-objects.ts';
import { STATUS, type Stage, startStage, type Team } from '../support/stage.ts';

let stage: Stage;
beforeAll(async () => {
  stage = await startStage();
});
afterAll(() => stage?.stop());

const map = (name: string, value = '1') => yaml(configMap(name, '', { value }));

/** What is said of the object that `loser` does not get. */
function left(team: Team, winner = 'first'): string {
  const at = `ConfigMap/${team.name}/shared (Kustomization/${team.name}/${winner} applies it too)`;
  return `left to another owner: ${at}; remove it from one of the two`;
}

async function message(team: Team, name: string): Promise<string> {
  return conditionOf(await team.kustomization(name))?.message ?? '';
}

async function description(team: Team, commit: string): Promise<string> {
  const statuses = await team.repository.statuses(commit);
  return statuses.find(({ context }) => context === STATUS)?.description ?? '';
}

async function describes(team: Team, commit: string, text: string | RegExp): Promise<void> {
  await eventually(
    `the status of ${commit} says ${text}`,
    async () => {
      const found = await description(team, commit);
      return typeof text === 'string' ? found.includes(text) : text.test(found);
    },
    { explain: () => description(team, commit) },
  );
}

/** Two Kustomizations of which the second applies what the first has. */
async function rivals(spec: Record<string, unknown> = {}): Promise<Team> {
  const team = await stage.team({
    'first/shared.yaml': map('shared', 'first'),
    'second/shared.yaml': map('shared', 'second'),
    'second/own.yaml': map('own'),
  });
  await team.kustomize('first', './first');
  await team.ready('first');
  await team.kustomize('second', './second', spec);
  return team;
}

describe('an object that two Kustomizations apply', () => {
  test('stays with the first; the other is ready and says so, as do its event and the commit, until one of them gives it up', async () => {
    const team = await rivals();
    await team.ready('second');
    expect(await message(team, 'second')).toMatch(`; ${left(team)}`);
    expect(await message(team, 'first')).not.toContain('left to');
    const commit = await team.push({ 'second/own.yaml': map('own', '2') });
    await team.ready('second', commit);
    await team.status(commit, 'success');
    await describes(team, commit, `1 changed; ${left(team).slice(0, 60)}`);
    expect(await team.data('shared')).toEqual({ value: 'first' });
    const events = await stage.objects.list<{ message: string; involvedObject: { name: string } }>(
      'events',
      team.name,
    );
    const told = events.filter(({ involvedObject }) => involvedObject.name === 'second');
    expect(told.some(({ message: text }) => text.includes(left(team)))).toBe(true);

    // It holds for a commit that touches neither of them.
    const beside = await team.push({ 'README.md': 'nothing that is applied\n' });
    await team.ready('second', beside);
    expect(await message(team, 'second')).toContain(left(team));

    const given = await team.push({ 'first/shared.yaml': null, 'first/other.yaml': map('other') });
    await team.status(given, 'success');
    await eventually('the second has it', async () => (await team.data('shared'))?.value === 'second');
    await eventually(
      'nothing is left to say',
      async () => !(await message(team, 'second')).includes('left to'),
    );
  });

  test('is named as well where health was waited for', async () => {
    const late = { apiVersion: 'v1', kind: 'ConfigMap', name: 'late' };
    const team = await rivals({ healthChecks: [late] });
    await eventually('it waits', async () => /Running health checks/.test(await message(team, 'second')));
    await stage.objects.create('configmaps', configMap('late', team.name, {}) as never);
    await team.ready('second');
    expect(await message(team, 'second')).toContain(left(team));
  });

  test('and that one commit brings to both is told of on that commit, whoever gets it', async () => {
    const team = await stage.team({ 'first/a.yaml': map('a'), 'second/b.yaml': map('b') });
    await team.kustomize('first', './first');
    await team.kustomize('second', './second');
    await Promise.all([team.ready('first'), team.ready('second')]);
    const commit = await team.push({
      'first/shared.yaml': map('shared', 'first'),
      'second/shared.yaml': map('shared', 'second'),
    });
    await team.status(commit, 'success');
    await describes(team, commit, /left to another owner: ConfigMap/);
    const both = await Promise.all(['first', 'second'].map((name) => message(team, name)));
    expect(both.filter((text) => text.includes('left to another owner'))).toHaveLength(1);
  });
});

describe('an object that one Kustomization lets go and another one', () => {
  const GROUP = 'kustomize.toolkit.fluxcd.io';
  const shared = (value: string, ssa?: string) =>
    yaml({
      ...configMap('shared', '', { value }),
      metadata: { name: 'shared', annotations: ssa === undefined ? {} : { [`${GROUP}/ssa`]: ssa } },
    });

  test.each([
    ['as the first one did', 'IfNotPresent'],
    ['while the first one corrected it', undefined],
  ])('creates only where it is not there stays as it is, %s', async (_, first) => {
    const team = await stage.team({
      'first/shared.yaml': shared('first', first),
      'first/own.yaml': map('own-first'),
      'second/shared.yaml': shared('second', 'IfNotPresent'),
      'second/own.yaml': map('own'),
    });
    await team.kustomize('first', './first');
    await team.ready('first');
    await team.kustomize('second', './second');
    await team.ready('second');
    const commit = await team.push({ 'first/shared.yaml': null });
    await team.ready('first', commit);
    await eventually('it waits for nobody', async () => !(await message(team, 'first')).includes('once'));
    await team.status(commit, 'success');
    expect(await team.data('shared')).toEqual({ value: 'first' });
  });
});
