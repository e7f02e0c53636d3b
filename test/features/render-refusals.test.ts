import { afterAll, describe, expect, test } from 'vitest';
import type { ReconcileError } from '../../lib/core/errors.ts';
import { render } from '../../lib/render/render.ts';
import { configMap, type Files, kustomization, renderFiles, testEngine } from '../support/render.ts';
import { header } from '../support/tar-of.ts';

const engine = testEngine();
afterAll(() => engine.close());

/** The error of a build in `app/` of a tree that also holds `secret.yaml` at its root. */
async function failure(files: Files, path = './app'): Promise<ReconcileError> {
  return renderFiles(
    engine,
    { 'secret.yaml': configMap('secret'), 'app/cm.yaml': configMap('cm'), ...files },
    { path },
  ).then(
    ({ objects }) => expect.fail(`it rendered ${JSON.stringify(objects)}`),
    (error: ReconcileError) => error,
  );
}

/** The engine works on after whatever a test did to it. */
async function stillWorks(): Promise<void> {
  const { objects } = await renderFiles(engine, { 'a.yaml': configMap('a') });
  expect(objects).toHaveLength(1);
}

/** Fields of a kustomization file that take a path. */
const fields: Record<string, (path: string) => string> = {
  resources: (path) => `resources: ['${path}']`,
  components: (path) => `resources: [cm.yaml]\ncomponents: ['${path}']`,
  patches: (path) => `resources: [cm.yaml]\npatches: [{path: '${path}'}]`,
  patchesStrategicMerge: (path) => `resources: [cm.yaml]\npatchesStrategicMerge: ['${path}']`,
  'configMapGenerator.files': (path) => `configMapGenerator: [{name: x, files: ['k=${path}']}]`,
  'configMapGenerator.envs': (path) => `configMapGenerator: [{name: x, envs: ['${path}']}]`,
  'secretGenerator.files': (path) => `secretGenerator: [{name: x, files: ['k=${path}']}]`,
  replacements: (path) => `resources: [cm.yaml]\nreplacements: [{path: '${path}'}]`,
  transformers: (path) => `resources: [cm.yaml]\ntransformers: ['${path}']`,
  generators: (path) => `resources: [cm.yaml]\ngenerators: ['${path}']`,
  configurations: (path) => `resources: [cm.yaml]\nconfigurations: ['${path}']`,
  crds: (path) => `resources: [cm.yaml]\ncrds: ['${path}']`,
  'openapi.path': (path) => `resources: [cm.yaml]\nopenapi: {path: '${path}'}`,
};

describe.each(Object.entries(fields))('%s', (_field, text) => {
  test.each(['../../etc/passwd', '../../../../../../etc/passwd', '/etc/passwd', '/secret.yaml'])(
    'cannot name %s, which is outside the source',
    async (path) => {
      const error = await failure({ 'app/kustomization.yaml': text(path) });
      expect(error.reason).toBe('BuildFailed');
      expect(error.message).toMatch(/passwd|secret\.yaml/);
      expect(error.message).not.toMatch(/root:x|[0-9a-f]{32}/);
    },
  );

  test('cannot name a URL', async () => {
    const error = await failure({ 'app/kustomization.yaml': text('https://example.com/x.yaml') });
    expect(error.message).toMatch(/https:\/\/example\.com\/x\.yaml/);
  });
});

test('a file above the directory that is built, but inside the source, may be used', async () => {
  const { objects } = await renderFiles(
    engine,
    { 'secret.yaml': configMap('secret'), 'app/kustomization.yaml': 'resources: [../secret.yaml]' },
    { path: './app' },
  );
  expect(objects.map(({ metadata }) => metadata.name)).toEqual(['secret']);
});

describe('a remote base', () => {
  test.each([
    'https://github.com/org/repo',
    'https://github.com/org/repo//deploy?ref=v1.0.0',
    'github.com/org/repo?ref=main',
    'github.com:org/repo',
    'git@github.com:org/repo.git',
    'ssh://git@github.com/org/repo.git//base?ref=abc',
    'git::https://git.example.com/org/repo.git',
    'git::ssh://git.example.com/org/repo',
    'gh:org/repo',
    'https://dev.azure.com/org/project/_git/repo',
    'https://git-codecommit.us-east-2.amazonaws.com/v1/repos/x',
    'http://169.254.169.254/latest/meta-data',
    'https://raw.githubusercontent.com/org/repo/main/x.yaml',
    'file:///etc/x.git//base',
  ])('%s is refused by name', async (url) => {
    const error = await failure({ 'app/kustomization.yaml': `resources: ['${url}']` });
    expect(error.reason).toBe('BuildFailed');
    expect(error.message).toContain(url);
    expect(error.message).toMatch(/refused|outside|absolute/);
  });

  test('in a base or component is refused too', async () => {
    const error = await failure({
      'app/kustomization.yaml': 'resources: [../base]',
      'base/kustomization.yaml': 'resources: [https://github.com/org/repo//x]',
    });
    expect(error.message).toMatch(/remote reference .*github\.com\/org\/repo.* is refused/);
  });

  test('in spec.components is refused', async () => {
    const spec = { path: './app', components: ['https://github.com/org/repo'] };
    const rendering = renderFiles(engine, { 'app/cm.yaml': configMap('cm') }, spec);
    await expect(rendering).rejects.toThrow(
      /component "https:\/\/github.com\/org\/repo" must be a relative path/,
    );
  });

  test('loses its password in the message', async () => {
    const error = await failure({
      'app/kustomization.yaml': 'resources: [https://user:hunter22@example.com/x.yaml]',
    });
    expect(error.message).toMatch(/example\.com/);
    expect(error.message).not.toMatch(/hunter22/);
  });
});

describe('nothing is executed:', () => {
  const transformer = (annotation: string) =>
    `apiVersion: example.com/v1\nkind: Fn\nmetadata:\n  name: fn\n  annotations:\n    config.kubernetes.io/function: |\n      ${annotation}\n`;

  test.each([
    ['an exec function', 'exec: {path: /bin/touch}'],
    ['a container function', 'container: {image: "example.com/fn:1"}'],
    ['a Starlark function', 'starlark: {url: "https://example.com/fn.star", name: fn}'],
  ])('%s', async (_what, annotation) => {
    for (const kind of ['transformers', 'generators', 'validators']) {
      const error = await failure({
        'app/kustomization.yaml': `resources: [cm.yaml]\n${kind}: [fn.yaml]`,
        'app/fn.yaml': transformer(annotation),
      });
      expect(error.reason).toBe('BuildFailed');
    }
  });

  test('a plugin of an unknown kind', async () => {
    const error = await failure({
      'app/kustomization.yaml': 'resources: [cm.yaml]\ngenerators: [p.yaml]',
      'app/p.yaml': 'apiVersion: example.com/v1\nkind: Plugin\nmetadata: {name: p}\nargsOneLiner: x\n',
    });
    expect(error.message).toMatch(/plugin/i);
  });

  test('a Helm chart', async () => {
    const error = await failure({
      'app/kustomization.yaml': 'helmCharts: [{name: x, repo: "https://charts.example.com", version: 1.0.0}]',
    });
    expect(error.message).toMatch(/helm/i);
  });
});

describe('a build ends when', () => {
  test.each<[string, Files]>([
    ['a directory names itself', { 'app/kustomization.yaml': 'resources: [.]' }],
    [
      'a directory names its parent',
      { 'app/kustomization.yaml': 'resources: [..]', 'kustomization.yaml': 'resources: [app]' },
    ],
    [
      'two directories name each other',
      { 'app/kustomization.yaml': 'resources: [../b]', 'b/kustomization.yaml': 'resources: [../app]' },
    ],
    [
      'components name each other',
      {
        'app/kustomization.yaml': 'resources: [cm.yaml]\ncomponents: [../b]',
        'b/kustomization.yaml':
          'kind: Component\napiVersion: kustomize.config.k8s.io/v1alpha1\ncomponents: [../c]',
        'c/kustomization.yaml':
          'kind: Component\napiVersion: kustomize.config.k8s.io/v1alpha1\ncomponents: [../b]',
      },
    ],
  ])('%s', async (_what, files) => {
    expect((await failure(files)).message).toMatch(/cycle/);
  });

  test('aliases expand without end', async () => {
    const levels = Array.from({ length: 12 }, (_, n) => {
      const previous = n === 0 ? '"lol"' : `*a${n - 1}`;
      return `  a${n}: &a${n} [${Array(10).fill(previous).join(', ')}]`;
    });
    const error = await failure({
      'app/bomb.yaml': `apiVersion: example.com/v1\nkind: Bomb\nmetadata: {name: b}\nspec:\n${levels.join('\n')}\n`,
    });
    expect(error.reason).toBe('BuildFailed');
    await stillWorks();
  }, 60_000);

  test('nesting is deeper than any manifest', async () => {
    const error = await failure({
      'app/deep.yaml': `apiVersion: example.com/v1\nkind: Deep\nmetadata: {name: d}\nspec: ${'['.repeat(200_000)}${']'.repeat(200_000)}\n`,
    });
    expect(error.reason).toBe('BuildFailed');
    await stillWorks();
  });
});

describe('malformed input', () => {
  test.each<[string, Files, RegExp]>([
    ['text that is no YAML', { 'app/bad.yaml': 'a: [b\n' }, /app\/bad\.yaml is not a Kubernetes manifest/],
    [
      'an object without kind',
      { 'app/bad.yaml': 'apiVersion: v1\nmetadata: {name: x}\n' },
      /app\/bad\.yaml .*kind/,
    ],
    [
      'an object without a name',
      { 'app/bad.yaml': 'apiVersion: v1\nkind: ConfigMap\nmetadata: {}\n' },
      /app\/bad\.yaml .*name/,
    ],
    [
      'null metadata',
      { 'app/bad.yaml': 'apiVersion: v1\nkind: ConfigMap\nmetadata: null\n' },
      /app\/bad\.yaml/,
    ],
    ['a list instead of an object', { 'app/bad.yaml': '- a\n- b\n' }, /app\/bad\.yaml/],
    ['twice the same object', { 'app/again.yaml': configMap('cm') }, /already registered id|twice/],
    [
      'an unreadable kustomization file',
      { 'app/kustomization.yaml': 'resources: {a: b}' },
      /kustomization\.yaml/,
    ],
    [
      'a resource that is not there',
      { 'app/kustomization.yaml': 'resources: [gone.yaml]' },
      /"gone\.yaml" in app\/kustomization\.yaml does not exist/,
    ],
    [
      'two kustomization files',
      { 'app/kustomization.yaml': 'resources: [cm.yaml]', 'app/kustomization.yml': 'resources: [cm.yaml]' },
      /multiple kustomization files/,
    ],
    [
      'a patch without its object',
      {
        'app/kustomization.yaml':
          'resources: [cm.yaml]\npatches: [{patch: "apiVersion: v1\\nkind: Secret\\nmetadata: {name: z}"}]',
      },
      /no .*match|unable to find/i,
    ],
    [
      'a conflict of Git',
      { 'app/cm.yaml': `<<<<<<< HEAD\n${configMap('cm')}=======\n>>>>>>> x\n` },
      /app\/cm\.yaml/,
    ],
  ])('%s is refused with the place of the fault', async (_what, files, message) => {
    const error = await failure(files);
    expect(error).toMatchObject({ name: 'ReconcileError', reason: 'BuildFailed' });
    expect(error.message).toMatch(message);
    expect(error.message).not.toMatch(/[0-9a-f]{32}\//);
    await stillWorks();
  });
});

test('an object in a listed file is refused with its file too', async () => {
  const error = await failure({
    'app/kustomization.yaml': 'resources: [cm.yaml, ../base]',
    'base/kustomization.yaml': 'resources: [bad.yaml]',
    'base/bad.yaml': 'apiVersion: v1\nkind: ConfigMap\nmetadata: {}\n',
  });
  expect(error.message).toMatch(/base\/bad\.yaml is not a Kubernetes manifest: .*name/);
});

describe('an artifact', () => {
  const good = Buffer.concat([header('a.yaml', 0), Buffer.alloc(1024)]);

  test.each<[string, Uint8Array, RegExp]>([
    [
      'with a symbolic link',
      Buffer.concat([header('link', 0, '2', '/etc/passwd'), good]),
      /"link" is neither file nor directory/,
    ],
    [
      'with a hard link',
      Buffer.concat([header('link', 0, '1', 'a.yaml'), good]),
      /neither file nor directory/,
    ],
    ['with a device', Buffer.concat([header('null', 0, '3'), good]), /neither file nor directory/],
    ['that leaves its root', Buffer.concat([header('../evil.yaml', 0), good]), /leaves the tree/],
    ['with an absolute path', Buffer.concat([header('/etc/evil.yaml', 0), good]), /leaves the tree/],
    ['that is cut short', header('a.yaml', 4096), /cut short|malformed/],
    ['that is none', Buffer.alloc(2048, 'x'), /malformed/],
  ])('%s is refused', async (what, archive, message) => {
    const input = {
      kustomization: kustomization(),
      artifactDigest: what,
      readTree: async () => archive,
      variables: {},
      tenant: 'production/flux-system',
    };
    await expect(render(engine, input)).rejects.toThrow(message);
    await stillWorks();
  });
});

test('a build that needs more memory than allowed fails alone', async () => {
  const small = testEngine({ memoryBytes: 1 << 20 });
  const failing = renderFiles(small, { 'a.yaml': configMap('a') }, { namePrefix: 'x-' });
  await expect(failing).rejects.toThrow(/more memory than it may use/);
  await small.close();
  await stillWorks();
});
