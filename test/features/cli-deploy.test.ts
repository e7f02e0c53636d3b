import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ROOT } from '../../infra/aws/package-stacks.ts';
import { runCli } from '../support/cli.ts';
import { EXAMPLE } from '../support/packaged-stacks.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

describe('slipway deploy', () => {
  const nowhere = {
    HOME: '/nonexistent',
    // Whoever runs this may be signed in: nothing reaches AWS all the same.
    AWS_ENDPOINT_URL: 'http://127.0.0.1:1',
    AWS_ACCESS_KEY_ID: '',
    AWS_SECRET_ACCESS_KEY: '',
    AWS_PROFILE: '',
    AWS_EC2_METADATA_DISABLED: 'true',
    AWS_CONFIG_FILE: '/dev/null',
    AWS_SHARED_CREDENTIALS_FILE: '/dev/null',
  };
  const deploy = (file: string, ...args: string[]) =>
    runCli(['--config', file, 'deploy', ...args], { cwd: ROOT, env: nowhere });

  async function withFile(
    change: (text: string) => string,
  ): Promise<{ path: string; remove(): Promise<void> }> {
    const directory = await temporaryDirectory();
    const path = join(directory.path, 'slipway.yaml');
    await writeFile(path, change(await readFile(EXAMPLE, 'utf8')));
    return { path, remove: () => directory.remove() };
  }

  it('says with --dry-run what it would make, without credentials', async () => {
    const { code, stdout, stderr } = await deploy(EXAMPLE, '--dry-run', '--cluster', 'staging');
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const lines = stdout.split('\n').filter((line) => line.startsWith('would deploy'));
    expect(lines).toEqual([
      expect.stringMatching(
        /^would deploy core: \d+ resources, among them 6 functions, 6 queues, 22 alarms$/,
      ),
      expect.stringMatching(
        /^would deploy staging: \d+ resources, among them 1 functions, 2 queues, 4 alarms$/,
      ),
    ]);
  });

  it('is not disturbed by another one at the same time, of another fleet file', async () => {
    const other = await withFile(() => 'aws: { region: eu-west-1 }\nclusters: []\n');
    try {
      const both = await Promise.all([
        deploy(EXAMPLE, '--dry-run', '--cluster', 'staging'),
        deploy(other.path, '--dry-run'),
      ]);
      const deployed = both.map(({ stdout }) =>
        [...stdout.matchAll(/^would deploy (\S+):/gm)].map(([, name]) => name),
      );
      expect(deployed, both.map(({ stderr }) => stderr).join('')).toEqual([['core', 'staging'], ['core']]);
    } finally {
      await other.remove();
    }
  });

  it('asks for an image before anything else, and for clusters that there are', async () => {
    const image = await deploy(EXAMPLE);
    expect(image).toMatchObject({ code: 1, stderr: expect.stringContaining('aws.image') });
    expect(image.stderr).toContain('production, staging, west, partner, azure run from it');
    const unknown = await deploy(EXAMPLE, '--cluster', 'nowhere');
    expect(unknown).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('there is no cluster nowhere'),
    });
  });

  it('says how to get credentials, and what to add to a fleet file that does not speak of AWS', async () => {
    const digest = `sha256:${'a'.repeat(64)}`;
    const file = await withFile((text) =>
      text.replace('aws:\n', `aws:\n  image: registry.example.com/slipway@${digest}\n`),
    );
    const bare = await withFile(() => 'clusters: []\n');
    try {
      const { code, stderr } = await deploy(file.path);
      expect(code).toBe(1);
      expect(stderr).toMatch(/AWS cannot be used with the credentials of this shell: .*aws sso login/s);
      expect((await deploy(bare.path)).stderr).toContain(
        'has no section aws: add "aws: { region: eu-west-1 }"',
      );
    } finally {
      await Promise.all([file.remove(), bare.remove()]);
    }
  });
});
