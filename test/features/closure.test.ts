import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { afterAll, describe, expect, test } from 'vitest';
import { sha256 } from '../../lib/core/digest.ts';
import { type Closure, closureDigest, type TreeIndex } from '../../lib/core/tree.ts';
import { builds } from '../fixtures/kustomize/builds.ts';
import { configMap, type Files, filesBelow, testEngine } from '../support/render.ts';
import { tarOf } from '../support/tar-of.ts';

const engine = testEngine();
afterAll(() => engine.close());

interface Outcome {
  /** The output, or the error: everything that a change may change. */
  result: string;
  closure: Closure;
}

async function build(files: Files, path: string, spec: object = {}): Promise<Outcome> {
  const archive = tarOf(files);
  const tree = createHash('sha256').update(archive).digest('hex');
  const answer = await engine.build(
    { tree, path, spec },
    { tenant: 'closure', readTree: async () => archive },
  );
  const result = answer.ok ? Buffer.from(answer.payload).toString('utf8') : `${answer.code}: ${answer.error}`;
  return { result, closure: answer.closure };
}

function indexOf(files: Files): TreeIndex {
  return Object.fromEntries(Object.entries(files).map(([path, content]) => [path, sha256(content)]));
}

/** Names under which something new may matter to a build. */
const NEW_NAMES = [
  'kustomization.yaml',
  'kustomization.yml',
  'Kustomization',
  'new.yaml',
  'new.txt',
  'deeper/new.yml',
];

/** Changes of a tree: an edit, a removal, an addition, a file that becomes a directory. */
function mutations(files: Files): fc.Arbitrary<{ what: string; files: Files }> {
  const paths = Object.keys(files);
  const folders = [...new Set(paths.flatMap((path) => ancestors(path)))];
  const without = (path: string): Files =>
    Object.fromEntries(Object.entries(files).filter(([key]) => key !== path));
  const path = fc.constantFrom(...paths);
  return fc.oneof(
    path.map((at) => ({ what: `edit ${at}`, files: { ...files, [at]: `${files[at]}\n# edited\n` } })),
    path.map((at) => ({ what: `replace ${at}`, files: { ...files, [at]: configMap('replaced') } })),
    path.map((at) => ({ what: `empty ${at}`, files: { ...files, [at]: '' } })),
    path.map((at) => ({ what: `remove ${at}`, files: without(at) })),
    path.map((at) => ({
      what: `turn ${at} into a directory`,
      files: {
        ...without(at),
        [`${at}/kustomization.yaml`]: 'resources: [x.yaml]',
        [`${at}/x.yaml`]: configMap('x'),
      },
    })),
    fc
      .tuple(fc.constantFrom(...folders), fc.constantFrom(...NEW_NAMES))
      .map(([folder, name]) => (folder === '.' ? name : `${folder}/${name}`))
      .filter((at) => files[at] === undefined)
      .map((at) => ({ what: `add ${at}`, files: { ...files, [at]: configMap('added') } })),
  );
}

function ancestors(path: string): string[] {
  const parts = path.split('/').slice(0, -1);
  return ['.', ...parts.map((_, n) => parts.slice(0, n + 1).join('/'))];
}

/** Trees beside the corpus: directories without a kustomization file, unrelated neighbours. */
const trees: Record<string, { files: Files; path: string; spec?: object }> = {
  'a directory without a kustomization file': {
    files: {
      'apps/a.yaml': configMap('a'),
      'apps/sub/b.yml': configMap('b'),
      'apps/sub/notes.txt': 'text',
      'apps/own/kustomization.yaml': 'resources: [c.yaml]\nnamePrefix: own-\n',
      'apps/own/c.yaml': configMap('c'),
      'apps/own/unused.yaml': configMap('unused'),
      'other/d.yaml': configMap('d'),
    },
    path: './apps',
  },
  'components of the spec, one missing': {
    files: {
      'apps/a.yaml': configMap('a'),
      'parts/one/kustomization.yaml':
        'apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\nresources: [extra.yaml]\n',
      'parts/one/extra.yaml': configMap('extra'),
      'parts/unused/x.yaml': configMap('x'),
    },
    path: './apps',
    spec: { components: ['../parts/one', '../parts/two'], ignoreMissingComponents: true },
  },
  'a build that fails': {
    files: {
      'apps/kustomization.yaml': 'resources: [gone.yaml, here.yaml]',
      'apps/here.yaml': configMap('here'),
    },
    path: './apps',
  },
  'a path that does not exist': { files: { 'a.yaml': configMap('a') }, path: './apps' },
};

describe('whatever changes in a tree, when the output changes the closure does:', () => {
  const corpus = builds().map(
    ({ name, folder, path }) => [name, { files: filesBelow(folder), path, spec: {} }] as const,
  );

  test.each([...Object.entries(trees), ...corpus])('%s', async (_name, { files, path, spec }) => {
    const before = await build(files, path, spec);
    const digest = closureDigest(before.closure, indexOf(files));
    await fc
      .assert(
        fc.asyncProperty(mutations(files), async ({ files: changed }) => {
          fc.pre(closureDigest(before.closure, indexOf(changed)) === digest);
          // Nothing that the build looked at has changed, so that neither may what it gives.
          expect((await build(changed, path, spec)).result).toBe(before.result);
        }),
        { numRuns: 15, seed: 1, maxSkipsPerRun: 200 },
      )
      .catch((error: Error) => {
        // All changes of a small tree may be in its closure: then there is nothing to compare.
        if (!error.message.includes('pre-condition')) throw error;
      });
  });
});

describe('the closure of a build', () => {
  const files: Files = {
    'apps/web/kustomization.yaml': 'resources: [../../base]',
    'base/kustomization.yaml': 'resources: [a.yaml]',
    'base/a.yaml': configMap('a'),
    'base/unused.yaml': configMap('unused'),
    'apps/api/kustomization.yaml': 'resources: [../../base]',
    'README.md': 'text',
  };

  test('holds what it read and nothing of its neighbours', async () => {
    const { closure } = await build(files, './apps/web');
    expect(closure.files).toEqual(['apps/web/kustomization.yaml', 'base/a.yaml', 'base/kustomization.yaml']);
    expect(closure.directories).toEqual([]);
  });

  test('of a directory without a kustomization file holds its listing', async () => {
    const { closure } = await build(
      { 'apps/a.yaml': configMap('a'), 'apps/b/c.yaml': configMap('c') },
      './apps',
    );
    expect(closure.directories).toEqual(['apps', 'apps/b']);
  });

  test('of a build that failed holds what has to change for it to pass', async () => {
    const { closure, result } = await build(
      { 'apps/kustomization.yaml': 'resources: [gone.yaml]' },
      './apps',
    );
    expect(result).toMatch(/gone\.yaml/);
    expect(closure.missing).toContain('apps/gone.yaml');
    expect(closure.files).toContain('apps/kustomization.yaml');
  });

  test('holds encrypted files and kustomization files looked into for them', async () => {
    const archive = tarOf({
      'apps/kustomization.yaml': 'resources: [cm.yaml]\nsecretGenerator: [{name: s, files: [plain.txt]}]',
      'apps/cm.yaml': configMap('cm'),
      'apps/plain.txt': 'text',
    });
    const answer = await engine.build(
      { tree: 'decrypting', path: 'apps', spec: {}, decrypt: true },
      { tenant: 'closure', readTree: async () => archive },
    );
    expect(answer.closure.files).toEqual(['apps/cm.yaml', 'apps/kustomization.yaml', 'apps/plain.txt']);
  });

  test('is the same for the same build', async () => {
    const first = await build(files, './apps/web');
    expect(await build(files, './apps/web')).toEqual(first);
  });
});
