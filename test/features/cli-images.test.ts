import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { socketPath } from '../../functions/admin/client.ts';
import { createAdminApp } from '../../functions/admin/server.ts';
import { listenOnSocket } from '../../functions/listen.ts';
import { createAdmin } from '../../lib/pipeline/admin.ts';
import type { ImageExplanation } from '../../lib/pipeline/explain-image.ts';
import { runCli } from '../support/cli.ts';
import { type ImageStage, type ImageTeam, startImageStage } from '../support/image-stage.ts';
import { CLUSTER } from '../support/stage.ts';

let images: ImageStage;
let admin: { close(): Promise<void> };
let team: ImageTeam;

beforeAll(async () => {
  images = await startImageStage();
  const { ctx, open } = images.stage.slipway;
  admin = await listenOnSocket(createAdminApp(createAdmin(ctx)), socketPath(open));
  team = await images.team();
  for (const tag of ['main-1', 'main-2', 'main-10', 'latest'])
    await images.registry.push(`${team.name}/app`, tag);
  await team.repository();
  await team.policy({
    filterTags: { pattern: '^main-(.*)$', extract: '$1' },
    policy: { numerical: { order: 'asc' } },
  });
  await team.latest('main-10');
});
afterAll(async () => {
  await admin?.close();
  await images?.stop();
});

async function slipway(...args: string[]) {
  const { fleet } = images.stage.slipway.open;
  return runCli([...args, '-c', fleet.path], { cwd: fleet.storage.directory });
}

test('get images shows images with their tags and policies with what they chose', async () => {
  const { stdout, stderr, code } = await slipway('get', 'images', '-n', team.name);
  expect({ stderr, code }).toEqual({ stderr: '', code: 0 });
  const lines = stdout.split('\n').map((line) => line.split(/ {3,}/));
  const image = `${images.registry.host}/${team.name}/app`;
  expect(lines[1]?.slice(0, 8)).toEqual([
    CLUSTER,
    'ImageRepository',
    team.name,
    'app',
    image,
    '4 tags',
    'no',
    'True',
  ]);
  expect(lines[2]?.slice(0, 8)).toEqual([
    CLUSTER,
    'ImagePolicy',
    team.name,
    'app',
    image,
    'main-10',
    'no',
    'True',
  ]);
});

describe('images explain', () => {
  test('shows the candidates in their order, and why the others are none', async () => {
    const { stdout, stderr, code } = await slipway('images', 'explain', `${team.name}/app`);
    expect({ stderr, code }).toEqual({ stderr: '', code: 0 });
    expect(stdout).toMatch(new RegExp(`^${CLUSTER}: ImagePolicy/${team.name}/app\n`));
    expect(stdout).toMatch(/chosen {4}.*\/app:main-10\n/);
    expect(stdout).toMatch(/ImageRepository\/.*; 4 tags, all listed \d+s ago/);
    const rows = stdout.slice(stdout.indexOf('PLACE')).split('\n').slice(1, 5);
    expect(rows.map((row) => row.split(/ {2,}/).slice(0, 3))).toEqual([
      ['1', 'main-10', '10'],
      ['2', 'main-2', '2'],
      ['3', 'main-1', '1'],
      ['-', 'latest', 'does not match spec.filterTags.pattern'],
    ]);
  });

  test('gives all of it to programs', async () => {
    const { stdout } = await slipway('images', 'explain', 'app', '-n', team.name, '-o', 'json');
    const [explanation] = JSON.parse(stdout) as ImageExplanation[];
    expect(explanation).toMatchObject({
      cluster: CLUSTER,
      policy: `${team.name}/app`,
      order: { numerical: { order: 'asc' } },
      tags: 4,
      candidates: [{ tag: 'main-10', value: '10' }, { tag: 'main-2' }, { tag: 'main-1' }],
      rejected: [{ tag: 'latest' }],
    });
  });

  test('says what keeps a policy from choosing', async () => {
    await team.policy({ policy: { semver: { range: 'x1' } } }, 'broken');
    await team.failed('imagepolicies', 'InvalidPolicy', 'broken');
    const { stdout } = await slipway('images', 'explain', `${team.name}/broken`);
    expect(stdout).toMatch(/chosen {4}nothing\n/);
    expect(stdout).toMatch(/problem {3}'x1' is no range of versions/);
    const none = await slipway('images', 'explain', `${team.name}/none`);
    expect(none.code).toBe(1);
    expect(none.stderr).toMatch(/there is no ImagePolicy\/.*\/none in production; .*slipway get images/);
    const other = await slipway('images', 'explain', `imagerepository/${team.name}/app`);
    expect(other.stderr).toMatch(/imagerepository\/.*\/app is no policy; name one as app/);
  });
});
