import { afterAll, beforeAll, expect, test } from 'vitest';
import { run } from '../../lib/exec.ts';
import { runCli, writeFiles } from '../support/cli.ts';
import { imageTeam } from '../support/image-automation.ts';
import { CLUSTER, type Stage, startStage } from '../support/stage.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

let stage: Stage;
beforeAll(async () => {
  stage = await startStage();
});
afterAll(() => stage?.stop());

test('images update --dry-run shows what automations would change in a checkout, and changes nothing', async () => {
  const team = await imageTeam(stage, { 'a.txt': 'a' });
  await team.choose('web', { name: 'acme/web', tag: '1.1.0' });
  await team.automate({ suspend: true });
  const { path: cwd, remove } = await temporaryDirectory();
  const slipway = (...args: string[]) =>
    runCli(['-c', stage.slipway.open.fleet.path, 'images', 'update', ...args], { cwd });
  try {
    await run('git', ['init', '--quiet'], { cwd });
    const line = `image: acme/web:1.0.0 # {"$imagepolicy": "${team.name}:web"}\n`;
    await writeFiles(cwd, {
      'web.yaml': line,
      'api.yaml': line.replace('1.0.0', '1.2.0'),
      'bad.yaml': `${line}b: [`,
    });

    const bare = await slipway();
    expect(bare).toMatchObject({ code: 2, stderr: expect.stringMatching(/^slipway: give --dry-run/) });
    expect((await slipway('--dry-run', '--cluster', 'nope')).code).toBe(2);
    const none = await slipway('--dry-run');
    expect(none).toMatchObject({ code: 2 });
    expect(none.stderr).toBe(
      `slipway: no automation is for the repository of this checkout (which has no remote); name one to see it all the same: there are ${team.name}/images\n`,
    );

    await run('git', ['remote', 'add', 'origin', team.repository.url], { cwd });
    const shown = await slipway('--dry-run');
    expect(shown.code).toBe(1);
    expect(shown.stdout).toContain(`${CLUSTER}: ImageUpdateAutomation/${team.name}/images: 1 to change`);
    expect(shown.stdout).toContain(`  -${line.trim()}`);
    expect(shown.stdout).toContain(`  +${line.trim().replace('1.0.0', '1.1.0')}`);
    expect(shown.stdout).toContain('bad.yaml is left alone');
    expect(shown.stdout).toContain('api.yaml:1 is left as it is: 1.2.0 is newer than 1.1.0');

    const wrong = await slipway('--dry-run', 'image');
    expect(wrong).toMatchObject({
      code: 2,
      stderr: `slipway: there is no ImageUpdateAutomation image; there are ${team.name}/images\n`,
    });
    const elsewhere = await slipway('--dry-run', 'images', '-n', 'default');
    expect(elsewhere.stderr).toMatch(/no ImageUpdateAutomation images in namespace default\n/);

    const json = await slipway('--dry-run', `${team.name}/images`, '-o', 'json');
    expect(JSON.parse(json.stdout)[0].changes).toMatchObject([
      { file: 'web.yaml', oldValue: 'acme/web:1.0.0', newValue: 'acme/web:1.1.0' },
    ]);
    expect(JSON.parse(json.stdout)[0].diff).toMatch(/^--- a\/web\.yaml\n/);

    await writeFiles(cwd, { 'web.yaml': `${line.trim()}\r\n` });
    const crlf = await slipway('--dry-run');
    expect(crlf.stdout).toContain(`\n  +${line.trim().replace('1.0.0', '1.1.0')}\n`);

    await writeFiles(cwd, { 'web.yaml': null, 'bad.yaml': null });
    expect(await slipway('--dry-run')).toMatchObject({ code: 0 });
    expect(
      (await run('git', ['-c', 'safe.directory=*', 'status', '--porcelain'], { cwd })).stdout.toString(),
    ).toBe('?? api.yaml\n');
  } finally {
    await remove();
  }
});
