import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { addCluster, type ClusterEntry } from '../../../lib/fleet/add-cluster.ts';
import { FleetError, loadFleet } from '../../../lib/fleet/load-fleet.ts';
import { fleetTemplate } from '../../../lib/fleet/template.ts';

const options = { path: '/slipway.yaml' };

const PRODUCTION: ClusterEntry = {
  name: 'production',
  kubeconfig: 'file:./production.kubeconfig',
  source: { url: 'https://git.example.com/fleet.git', path: './clusters/production' },
};

const ENTRY = `  - name: production
    kubeconfig: file:./production.kubeconfig
    source:
      url: https://git.example.com/fleet.git
      path: ./clusters/production
`;

describe('addCluster', () => {
  test('adds lines to the template and changes nothing else', () => {
    const before = fleetTemplate();
    const after = addCluster(before, PRODUCTION, options);
    expect(after).toBe(before.replace('\nproviders:', `${ENTRY}\nproviders:`));
    expect(loadFleet(after, options).clusters.map(({ name }) => name)).toEqual(['staging', 'production']);
  });

  test.each([
    ['an empty file', '', `clusters:\n${ENTRY}`],
    ['a file of comments', '# ours\n', `# ours\nclusters:\n${ENTRY}`],
    [
      'a file without clusters',
      'sweep: { interval: 2m } # slow',
      `sweep: { interval: 2m } # slow\nclusters:\n${ENTRY}`,
    ],
    ['an empty section', 'clusters: # none yet\nsweep:\n', `clusters: # none yet\n${ENTRY}sweep:\n`],
    ['an empty list', 'clusters: [] # none yet\nsweep:\n', `clusters: # none yet\n${ENTRY}sweep:\n`],
  ])('works on %s', (_what, before, after) => {
    expect(addCluster(before, PRODUCTION, options)).toBe(after);
  });

  test('keeps to the layout of the list, and to what belongs to the entry before', () => {
    const before = `clusters:
- name: a # first
  kubeconfig: env:A
  source: {url: "https://git.example.com/x"}
  # allow: { exec: true }

# the rest
sweep:
    interval: 2m
`;
    expect(addCluster(before, PRODUCTION, options)).toBe(
      before.replace('\n\n# the rest', `\n${ENTRY.replace(/^ {2}/gm, '')}\n# the rest`),
    );
  });

  test('keeps the line breaks of Windows', () => {
    const after = addCluster('sweep:\r\n  interval: 2m\r\n', PRODUCTION, options);
    expect(after).toBe(`sweep:\r\n  interval: 2m\r\nclusters:\r\n${ENTRY.replaceAll('\n', '\r\n')}`);
  });

  test.each([
    [
      'in brackets',
      'clusters: [{ name: a, kubeconfig: "env:A", source: { url: "https://git.example.com/x" } }] # ours\n',
    ],
    ['in braces', '{ clusters: [], sweep: { interval: 2m } } # ours\n'],
    ['under an alias', 'network: { allow: &none [] }\nclusters: *none # ours\n'],
    ['in quotes', '"clusters": []\n# ours\n'],
  ])('works on a file with clusters %s, keeping its comments', (_what, before) => {
    const after = addCluster(before, PRODUCTION, options);
    const expected = loadFleet(before, options);
    const fleet = loadFleet(after, options);
    expect(fleet.clusters.at(-1)?.name).toBe('production');
    expect({ ...fleet, clusters: fleet.clusters.slice(0, -1) }).toEqual(expected);
    expect(after).toContain('# ours');
  });

  test('refuses a name that is taken, and a file that is wrong', () => {
    const once = addCluster('', PRODUCTION, options);
    expect(() => addCluster(once, PRODUCTION, options)).toThrow(
      'clusters[1].name: production is already taken',
    );
    expect(() => addCluster('clusterz: []', PRODUCTION, options)).toThrow(FleetError);
    expect(() => addCluster('', { ...PRODUCTION, kubeconfig: 'inline' }, options)).toThrow(
      'must be a reference',
    );
  });

  test('adds any number of clusters, each as it was given', () => {
    const text = fc
      .string({ minLength: 1, maxLength: 20 })
      .filter((value) => value.trim() === value && value !== '');
    fc.assert(
      fc.property(
        fc.uniqueArray(fc.stringMatching(/^[a-z0-9]{1,8}$/), { minLength: 1, maxLength: 5 }),
        text,
        fc.constantFrom('', fleetTemplate({ cluster: 'zzzzzzzzz' }), 'clusters: []\n', '# a\nsweep:\n'),
        (names, path, start) => {
          const entries = names.map((name) => ({
            ...PRODUCTION,
            name,
            source: { ...PRODUCTION.source, path },
          }));
          const result = entries.reduce((before, entry) => addCluster(before, entry, options), start);
          const added = loadFleet(result, options).clusters.slice(-names.length);
          expect(added.map((cluster) => [cluster.name, cluster.source.path])).toEqual(
            names.map((name) => [name, path]),
          );
        },
      ),
    );
  });
});
