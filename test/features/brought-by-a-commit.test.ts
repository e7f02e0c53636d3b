import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { configMap, gitRepository, kustomization, yaml } from '../support/fleet-repository.ts';
import { conditionOf } from '../support/kube-objects.ts';
import { STATUS, type Stage, startStage, type Team } from '../support/stage.ts';

/** Keys of objects whose next invitation as a guest is lost, as by a crash. */
const losing = new Set<string>();

let stage: Stage;
beforeAll(async () => {
  stage = await startStage({
    wrap: (ctx) => {
      const { guests } = ctx.index;
      const invite = guests.invite.bind(guests);
      guests.invite = (cluster, all) =>
        invite(
          cluster,
          all.filter(({ key }) => !losing.delete(key)),
        );
      return ctx;
    },
  });
});
afterAll(() => stage?.stop());

const map = (name: string, value = '1') => yaml(configMap(name, '', { value }));

/** A team whose Kustomization `app` is ready. */
async function started(files: Record<string, string> = {}): Promise<Team> {
  const team = await stage.team({ 'app/a.yaml': map('a'), ...files });
  await team.kustomize('app', './app');
  await team.ready();
  return team;
}

/** A source in the namespace of the team. */
function source(team: Team, name: string, url: string): string {
  return yaml(gitRepository(name, team.name, url, { timeout: '10s' }));
}

/** A Kustomization of the source of that name. */
function follower(team: Team, name: string, of: string, spec: Record<string, unknown> = {}): string {
  const given = { targetNamespace: team.name, sourceRef: { kind: 'GitRepository', name: of }, ...spec };
  return yaml(kustomization(name, './app', given, team.name));
}

function missing(team: Team): string {
  return team.repository.url.replace(team.name, `${team.name}-is-not-there`);
}

/** Has a commit status ever been this? */
async function wasEver(team: Team, commit: string, state: string): Promise<boolean> {
  const history = await team.repository.statusHistory(commit);
  return history.some(({ context, status }) => context === STATUS && status === state);
}

async function description(team: Team, commit: string): Promise<string> {
  const statuses = await team.repository.statuses(commit);
  return statuses.find(({ context }) => context === STATUS)?.description ?? '';
}

async function contexts(team: Team, commit: string): Promise<string[]> {
  return (await team.repository.statuses(commit)).map(({ context }) => context);
}

async function isFailing(team: Team, name: string): Promise<void> {
  await eventually(`the source ${name} fails`, async () => {
    const found = await stage.objects.get('gitrepositories', team.name, name);
    return conditionOf(found)?.status === 'False';
  });
}

describe('a commit that brings objects of other sources', () => {
  test('is red when it brings a source that cannot be fetched, and names it; the commit that mends it is green', async () => {
    const team = await started();
    const bad = await team.push({ 'app/shop.yaml': source(team, 'shop', missing(team)) });
    await team.status(bad, 'failure');
    expect(await description(team, bad)).toContain(`GitRepository/${team.name}/shop: `);
    const own = `${STATUS}/GitRepository/${team.name}/shop`;
    await eventually('it has a status of its own', async () => (await contexts(team, bad)).includes(own));
    expect(await wasEver(team, bad, 'success')).toBe(false);
    const good = await team.push({ 'app/shop.yaml': source(team, 'shop', team.repository.url) });
    await team.status(good, 'success');
    expect(await wasEver(team, good, 'failure')).toBe(false);
    expect(await stage.slipway.ctx.index.guests.of('production', `GitRepository/${team.name}/shop`)).toEqual(
      [],
    );
    // From now on it is the affair of nobody but the source.
    await stage.objects.patch('gitrepositories', team.name, 'shop', { spec: { url: missing(team) } });
    await isFailing(team, 'shop');
    await team.status(good, 'success');
    expect(await wasEver(team, good, 'failure')).toBe(false);
  });

  test('is red while a Kustomization of another source fails, and green once that one is ready', async () => {
    const [team, other] = await Promise.all([started(), stage.team({ 'app/b.yaml': 'b: [' })]);
    const commit = await team.push({
      'app/other.yaml': source(team, 'other', other.repository.url),
      'app/guest.yaml': follower(team, 'guest', 'other'),
    });
    await team.status(commit, 'failure');
    expect(await description(team, commit)).toContain(`Kustomization/${team.name}/guest: `);
    const theirs = await other.push({ 'app/b.yaml': map('b') });
    await team.ready('guest', theirs);
    await team.status(commit, 'success');
    expect(await description(team, commit)).toMatch(/changed/);
    // What it fails at from now on has nothing to do with this commit; nor has it ever had with theirs.
    await other.push({ 'app/b.yaml': 'b: [' });
    await team.failed('BuildFailed', 'guest');
    await team.status(commit, 'success');
    expect(await contexts(other, theirs)).not.toContain(`${STATUS}/Kustomization/${team.name}/guest`);
  });

  test.each([
    [
      'is suspended',
      (team: Team) => stage.objects.patch('kustomizations', team.name, 'guest', { spec: { suspend: true } }),
    ],
    ['is deleted', (team: Team) => stage.objects.delete('kustomizations', team.name, 'guest')],
  ])('is pending while one of them waits, and not held up by one that %s', async (_, act) => {
    const [team, other] = await Promise.all([started(), started()]);
    const commit = await team.push({
      'app/other.yaml': source(team, 'other', other.repository.url),
      'app/guest.yaml': follower(team, 'guest', 'other', { dependsOn: [{ name: 'missing' }] }),
    });
    await team.failed('DependencyNotReady', 'guest');
    await team.ready('app', commit);
    await team.status(commit, 'pending');
    // Its parent must not bring it back at once.
    await stage.objects.patch('kustomizations', team.name, 'app', { spec: { suspend: true } });
    await act(team);
    await team.status(commit, 'success');
  });

  test('hands one that was never ready to the next commit, whether that touches its parent or not', async () => {
    const team = await started({ 'other/b.yaml': map('b') });
    await team.kustomize('other', './other');
    await team.ready('other');
    const shop = `GitRepository/${team.name}/shop: `;
    const bad = await team.push({ 'app/shop.yaml': source(team, 'shop', missing(team)) });
    await team.status(bad, 'failure');
    const elsewhere = await team.push({ 'other/b.yaml': map('b', '2') });
    await team.status(elsewhere, 'failure');
    expect(await description(team, elsewhere)).toContain(shop);
    const beside = await team.push({ 'app/a.yaml': map('a', '2') });
    await team.status(beside, 'failure');
    expect(await description(team, beside)).toContain(shop);
    expect(await wasEver(team, elsewhere, 'success')).toBe(false);
    expect(await wasEver(team, beside, 'success')).toBe(false);
    const without = await team.push({ 'app/shop.yaml': null });
    await team.status(without, 'success');
    expect(await wasEver(team, without, 'failure')).toBe(false);
    await team.status(bad, 'failure');
  });

  test('is judged anew when it comes again after a force-push', async () => {
    const team = await started();
    const bad = await team.push({ 'app/shop.yaml': source(team, 'shop', missing(team)) });
    await team.status(bad, 'failure');
    const good = await team.push({ 'app/shop.yaml': source(team, 'shop', team.repository.url) });
    await team.status(good, 'success');
    await team.repository.forcePush(bad);
    await team.ready('app', bad);
    await isFailing(team, 'shop');
    await team.status(bad, 'failure');
    await team.repository.forcePush(good);
    await team.status(good, 'success');
    await team.ready('app', good);
  });

  test('is red even when a crash lost that one of them has a part in it', async () => {
    const team = await started();
    losing.add(`GitRepository/${team.name}/shop`);
    const bad = await team.push({ 'app/shop.yaml': source(team, 'shop', missing(team)) });
    await team.status(bad, 'failure');
    expect(losing).toEqual(new Set());
    expect(await wasEver(team, bad, 'success')).toBe(false);
  });

  test('is red when a later object of it is refused and then mended, as long as one that was written fails', async () => {
    const team = await started();
    const bad = await team.push({
      'app/shop.yaml': source(team, 'shop', missing(team)),
      'app/z.yaml': yaml({ apiVersion: 'v1', kind: 'Pod', metadata: { name: 'z' }, spec: {} }),
    });
    await team.status(bad, 'failure');
    const next = await team.push({ 'app/z.yaml': null });
    await team.status(next, 'failure');
    expect(await description(team, next)).toContain(`GitRepository/${team.name}/shop: `);
    expect(await wasEver(team, next, 'success')).toBe(false);
  });

  test('is red when it brings an image that cannot be read', async () => {
    const team = await started();
    const image = {
      apiVersion: 'image.toolkit.fluxcd.io/v1',
      kind: 'ImageRepository',
      metadata: { name: 'web', namespace: team.name },
      spec: { image: '127.0.0.1:9/web', interval: '10m', insecure: true },
    };
    const bad = await team.push({ 'app/image.yaml': yaml(image) });
    await team.status(bad, 'failure');
    expect(await description(team, bad)).toContain(`ImageRepository/${team.name}/web: `);
    expect(await wasEver(team, bad, 'success')).toBe(false);
  });
});
