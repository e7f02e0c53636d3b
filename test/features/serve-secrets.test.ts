import { join } from 'node:path';
import { expect, test } from 'vitest';
import { checkSecrets } from '../../functions/check-secrets.ts';
import { openFleet } from '../../functions/open-fleet.ts';
import { createLog } from '../../lib/log.ts';
import { writeFiles } from '../support/cli.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

test('serve tells at the start which secrets it cannot read, which clusters it cannot look up, and what does not work without them', async () => {
  const directory = await temporaryDirectory();
  const source = { url: 'https://git.example.com/fleet.git' };
  const fleet = {
    clusters: [
      { name: 'here', kubeconfig: 'file:here', source },
      { name: 'gone', kubeconfig: 'file:gone', source },
      { name: 'known', eks: { name: 'known' }, source },
      { name: 'lost', eks: { name: 'lost' }, source },
    ],
    providers: [
      {
        name: 'hub',
        type: 'github',
        token: 'env:SLIPWAY_TEST_UNSET',
        webhookSecrets: ['file:hook', 'file:old'],
      },
      { name: 'lab', type: 'gitlab', token: 'file:hook' },
    ],
    registries: [{ name: 'images', type: 'quay', webhookSecrets: ['file:hook', 'file:missing'] }],
  };
  await writeFiles(directory.path, {
    'slipway.yaml': JSON.stringify(fleet),
    here: 'a kubeconfig with a-very-secret-token',
    hook: 'a-very-secret-token',
  });
  const lines: Record<string, string>[] = [];
  const log = createLog({
    level: 'info',
    format: 'json',
    write: (line) => void lines.push(JSON.parse(line)),
    now: () => 0,
  });
  await checkSecrets(await openFleet(join(directory.path, 'slipway.yaml')), log, async (cluster) => {
    if (cluster === 'lost') throw new Error('it cannot read the secret lost: there is none');
  });
  await new Promise(setImmediate);
  await directory.remove();
  const told = lines.map(({ level, cluster, provider, registry, error }) => [
    level,
    cluster ?? provider ?? registry,
    /secret (\S+):/.exec(error ?? '')?.[1],
  ]);
  expect(told).toHaveLength(6);
  expect(told).toEqual(
    expect.arrayContaining([
      ['error', 'gone', 'file:gone'],
      ['error', 'lost', 'lost'],
      ['error', 'images', 'file:missing'],
      ['error', 'hub', 'env:SLIPWAY_TEST_UNSET'],
      ['error', 'hub', 'file:old'],
      ['warn', 'lab', undefined],
    ]),
  );
  expect(JSON.stringify(lines)).not.toContain('a-very-secret-token');
});
