import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, expect, test } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { loadFleet } from '../../lib/fleet/load-fleet.ts';
import { customResourceDefinitions } from '../../lib/toolkit/crd.ts';
import { runCli } from '../support/cli.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

let cwd: string;

beforeEach(async () => {
  const directory = await temporaryDirectory();
  cwd = directory.path;
  return directory.remove;
});

test('init writes a fleet file for the provider that is given, says what comes next, and never overwrites', async () => {
  const options = [
    '--provider',
    'gitea',
    '--repository',
    'https://git.company.test/fleet.git',
    '--cluster',
    'prod',
  ];
  const first = await runCli(['init', ...options], { cwd });
  expect(first).toMatchObject({ code: 0, stderr: '' });
  expect(first.stdout).toMatch(
    /^wrote slipway\.yaml\n\nNext:\n[\s\S]*export GITEA_TOKEN=[\s\S]*\/webhooks\/gitea/,
  );
  const text = await readFile(join(cwd, 'slipway.yaml'), 'utf8');
  const fleet = loadFleet(text, { path: join(cwd, 'slipway.yaml') });
  expect(fleet.clusters).toMatchObject([{ name: 'prod', source: { path: './clusters/prod' } }]);
  expect(fleet.providers).toMatchObject([{ type: 'gitea', url: 'https://git.company.test' }]);
  const second = await runCli(['init'], { cwd });
  expect(second.code).toBe(1);
  expect(second.stderr).toContain('slipway.yaml exists; it was left as it is');
  expect(await readFile(join(cwd, 'slipway.yaml'), 'utf8')).toBe(text);
  expect((await runCli(['init', 'other.yaml'], { cwd })).code).toBe(0);
  expect((await runCli(['init', 'x.yaml', '--cluster', 'Not A Name'], { cwd })).code).toBe(1);
});

test('crds prints the definitions, schemas writes one file each', async () => {
  const crds = await runCli(['crds'], { cwd });
  const kinds = parseAllDocuments(crds.stdout).map(
    (one) => (one.toJS() as { metadata: { name: string } }).metadata.name,
  );
  expect(kinds).toEqual(
    expect.arrayContaining([
      'gitrepositories.source.toolkit.fluxcd.io',
      'kustomizations.kustomize.toolkit.fluxcd.io',
      'imagepolicies.image.toolkit.fluxcd.io',
    ]),
  );
  expect(kinds).toHaveLength(customResourceDefinitions().length);
  const written = await runCli(['schemas', '--directory', 'out'], { cwd });
  const names = written.stdout.trim().split('\n');
  expect(names).toContain('out/slipway.json');
  for (const name of names)
    expect(JSON.parse(await readFile(join(cwd, name), 'utf8'))).toHaveProperty('$schema');
});
