import { expect, test } from 'vitest';
import { loadFleet } from '../../../lib/fleet/load-fleet.ts';
import { fleetTemplate, templateProviders } from '../../../lib/fleet/template.ts';

const PATH = '/slipway.yaml';

/** Takes the `#` from lines that are commented-out settings. */
function uncommented(text: string): string {
  return text.replace(/^(\s*)# (\s*(?:- )?[A-Za-z]+:(?: .*)?)$/gm, '$1$2');
}

test('the template is a valid fleet file', () => {
  const fleet = loadFleet(fleetTemplate(), { path: PATH });
  expect(fleet.clusters.map(({ name }) => name)).toEqual(['staging']);
  expect(fleet.providers.map(({ webhookSecrets }) => webhookSecrets)).toEqual([['env:WEBHOOK_SECRET']]);
});

test('its commented lines show the defaults', () => {
  const text = uncommented(fleetTemplate())
    .replace(/^ *(token|url: https:\/\/(git|slipway)\.).*\n/gm, '')
    .replace(/^ *allow: \[.*\n/gm, '  allow: []\n')
    .replace(/^ *(context|defaultServiceAccount):.*\n/gm, '')
    .replace(/(noCrossNamespaceRefs|allowRemoteBases): true/g, '$1: false')
    .replace(/^ *app:.*\n( {6,}.*\n)+/gm, '')
    .replace(/^ *provider: .*\n/gm, '');
  expect(text).not.toBe(fleetTemplate());
  const plain = fleetTemplate().replace(/^ *token.*\n/gm, '');
  expect(loadFleet(text, { path: PATH })).toEqual(loadFleet(plain, { path: PATH }));
});

test('all of its commented lines together are valid, but for the app in place of the token', () => {
  const text = uncommented(fleetTemplate()).replace(/^ *token.*\n/gm, '');
  const fleet = loadFleet(text, { path: PATH });
  expect(fleet.providers[0]?.app?.id).toBe('123456');
  expect(fleet.network.allow).toEqual(['10.0.0.0/8', 'git.internal']);
});

test.each([
  {
    cluster: 'true',
    url: 'ssh://git@git.example.com:22/a b.git',
    branch: 'release/1.0',
    path: './clusters/a: b',
  },
  { cluster: '123', url: 'https://git.example.com/x', branch: '1.0', path: '.' },
  { cluster: 'a-b', url: 'https://git.example.com/x#y', branch: 'feature #1', path: "it's" },
])('what it is given stands in it as it was: %j', (options) => {
  const [cluster] = loadFleet(fleetTemplate(options), { path: PATH }).clusters;
  expect(cluster).toMatchObject({
    name: options.cluster,
    source: { url: options.url, branch: options.branch, path: options.path },
  });
});

test.each(templateProviders)('the template for %s is valid and says what its token needs', (provider) => {
  const text = fleetTemplate({ provider, url: 'https://git.company.test/fleet.git' });
  const [found] = loadFleet(text, { path: PATH }).providers;
  expect(found).toMatchObject({ name: provider, type: provider });
  expect(text).toMatch(new RegExp(`token: env:${provider.toUpperCase()}_TOKEN +# needs: `));
  if (provider === 'gitea') expect(found?.url).toBe('https://git.company.test');
});
