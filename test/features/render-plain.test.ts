import fc from 'fast-check';
import { afterAll, describe, expect, test } from 'vitest';
import { enginePath } from '../../infra/engine/location.ts';
import { start } from '../../lib/exec.ts';
import { EngineProcess } from '../../lib/render/engine-process.ts';
import { builds } from '../fixtures/kustomize/builds.ts';
import { configMap, type Files, filesBelow } from '../support/render.ts';
import { tarOf } from '../support/tar-of.ts';

const engine = new EngineProcess(start(enginePath(), []));
afterAll(() => engine.kill());
let trees = 0;

/** Builds twice: as the engine chooses, and by kustomize in any case. */
async function both(files: Files, path: string, spec: object = {}) {
  const tree = `tree-${trees++}`;
  await engine.request({ op: 'tree', tree }, { payload: tarOf(files), timeout: 10_000 });
  const request = { op: 'build', tree, path, spec };
  const chosen = await engine.request(request, { timeout: 60_000 });
  const exact = await engine.request({ ...request, noShortcut: true }, { timeout: 60_000 });
  expect(exact.header.shortcut).toBeUndefined();
  const outcome = ({ header, payload }: typeof chosen) => ({
    error: header.error,
    closure: header.closure,
    objects: Buffer.from(payload).toString('utf8'),
  });
  return { shortcut: chosen.header.shortcut === true, chosen: outcome(chosen), exact: outcome(exact) };
}

describe('builds that only list manifests are done without kustomize, and give the same', () => {
  test.each(builds())('$name', async ({ folder, path }) => {
    const { chosen, exact } = await both(filesBelow(folder), path);
    expect(chosen.objects).toBe(exact.objects);
    expect(chosen.error).toBe(exact.error);
  });

  test('of all kinds and forms', async () => {
    let shortcuts = 0;
    await fc.assert(
      fc.asyncProperty(
        fc.array(manifest(), { minLength: 1, maxLength: 5 }),
        fc.boolean(),
        async (manifests, listed) => {
          const files: Files = Object.fromEntries(manifests.map((text, n) => [`apps/${n}.yaml`, text]));
          if (listed) {
            files['apps/kustomization.yaml'] =
              `resources: [${manifests.map((_, n) => `${n}.yaml`).join(', ')}]\n`;
          }
          const { shortcut, chosen, exact } = await both(files, 'apps');
          if (shortcut) shortcuts++;
          expect(chosen.objects).toBe(exact.objects);
          expect(chosen.error).toBe(exact.error);
        },
      ),
      { numRuns: 150, seed: 7 },
    );
    expect(shortcuts).toBeGreaterThan(30);
  }, 240_000);
});

describe('kustomize is not needed for', () => {
  const plain = { 'apps/a.yaml': configMap('a'), 'apps/b.yaml': configMap('b') };

  test.each<[string, Files]>([
    ['a directory without a kustomization file', plain],
    [
      'a kustomization file with resources alone',
      { ...plain, 'apps/kustomization.yaml': 'resources: [a.yaml, b.yaml]' },
    ],
    [
      'directories that list manifests',
      {
        ...plain,
        'apps/kustomization.yaml': 'resources: [../one, a.yaml]',
        'one/kustomization.yaml': 'resources: [c.yaml]',
        'one/c.yaml': configMap('c'),
      },
    ],
  ])('%s', async (_what, files) => {
    const { shortcut, chosen, exact } = await both(files, 'apps');
    expect(shortcut).toBe(true);
    expect(chosen).toEqual(exact);
  });
});

describe('kustomize is asked when', () => {
  const subjects =
    'roleRef: {kind: Role, name: r, apiGroup: rbac.authorization.k8s.io}\nsubjects: [{kind: ServiceAccount, name: a}]\n';

  test.each<[string, Files, object]>([
    ['the spec changes the objects', { 'apps/a.yaml': configMap('a') }, { namePrefix: 'x-' }],
    [
      'the kustomization file does',
      { 'apps/a.yaml': configMap('a'), 'apps/kustomization.yaml': 'resources: [a.yaml]\nnamespace: x' },
      {},
    ],
    [
      'a reference may be completed',
      {
        'apps/a.yaml': `apiVersion: rbac.authorization.k8s.io/v1\nkind: RoleBinding\nmetadata: {name: b}\n${subjects}`,
      },
      {},
    ],
    [
      'two objects have the same name',
      { 'apps/a.yaml': configMap('a'), 'apps/b.yaml': configMap('a').replace('"a"', '"a","namespace":"b"') },
      {},
    ],
    [
      'an object is marked for kustomize',
      {
        'apps/a.yaml': configMap('a').replace(
          '"a"',
          '"a","annotations":{"config.kubernetes.io/local-config":"true"}',
        ),
      },
      {},
    ],
    [
      'two directories name each other',
      { 'apps/kustomization.yaml': 'resources: [../b]', 'b/kustomization.yaml': 'resources: [../apps]' },
      {},
    ],
    ['there is nothing', { 'apps/README.md': '' }, {}],
  ])('%s', async (_what, files, spec) => {
    const { shortcut, chosen, exact } = await both(files, 'apps', spec);
    expect(shortcut).toBe(false);
    expect(chosen.objects).toBe(exact.objects);
  });
});

/** Manifests of many kinds: references between them, odd scalars, comments, lists. */
function manifest(): fc.Arbitrary<string> {
  const name = fc.constantFrom(
    'a',
    'b',
    'c',
    'web',
    'data',
    'x-1',
    '"007"',
    'a.b.c',
    'd',
    'e',
    'f',
    'settings',
    'token',
    'api',
  );
  const namespace = fc.constantFrom(
    '',
    '',
    '  namespace: one\n',
    '  namespace: default\n',
    '  namespace: ""\n',
  );
  const scalar = fc.constantFrom(
    '1',
    '"1"',
    'yes',
    '"yes"',
    '1.0',
    '1e3',
    '0644',
    'null',
    '~',
    '""',
    'text',
    "'it''s'",
    '2024-01-02',
    '9007199254740993',
    '.5',
    'on',
    '"a\\nb"',
    '|\n      block\n      text',
    '>-\n      folded\n      text',
    '[]',
    '{}',
    '[1, [2]]',
    '{x: {y: z}}',
  );
  const metadata = fc.constantFrom(
    '',
    '',
    '  labels: {app: web}\n',
    '  labels: {}\n',
    '  annotations: {}\n',
    '  annotations: {a: "1"}\n',
    '  annotations:\n',
    '  # comment\n',
    '  creationTimestamp: null\n',
  );
  const kind = fc.constantFrom(
    'v1 ConfigMap',
    'v1 Secret',
    'v1 ServiceAccount',
    'v1 Namespace',
    'v1 Service',
    'v1 PersistentVolumeClaim',
    'apps/v1 Deployment',
    'apps/v1 StatefulSet',
    'batch/v1 CronJob',
    'networking.k8s.io/v1 Ingress',
    'rbac.authorization.k8s.io/v1 Role',
    'rbac.authorization.k8s.io/v1 RoleBinding',
    'autoscaling/v2 HorizontalPodAutoscaler',
    'example.com/v1 Widget',
    'example.com/v1 Deployment',
    'v1 Pod',
    'policy/v1 PodDisruptionBudget',
  );
  return fc
    .tuple(kind, name, namespace, metadata, name, scalar)
    .map(([type, own, space, meta, other, value]) => {
      const [apiVersion, object] = type.split(' ') as [string, string];
      const head = `apiVersion: ${apiVersion}\nkind: ${object}\nmetadata:\n  name: ${own}\n${space}${meta}`;
      return `# leading\n${head}${bodyOf(object, other, value)}`;
    });
}

function bodyOf(kind: string, other: string, value: string): string {
  const pod = `containers: [{name: c, image: "c:1", envFrom: [{configMapRef: {name: ${other}}}, {secretRef: {name: ${other}}}]}], serviceAccountName: ${other}`;
  switch (kind) {
    case 'ConfigMap':
      return `data:\n    key: ${value}\n`;
    case 'Widget':
      return `spec:\n    value: ${value}\n    other: &anchor ${other}\n    again: *anchor\n`;
    case 'Pod':
      return `spec: {${pod}}\n`;
    case 'Deployment':
    case 'StatefulSet':
      return `spec: {template: {spec: {${pod}, volumes: [{name: v, persistentVolumeClaim: {claimName: ${other}}}]}}}\n`;
    case 'CronJob':
      return `spec: {jobTemplate: {spec: {template: {spec: {${pod}}}}}}\n`;
    case 'Ingress':
      return `spec: {tls: [{secretName: ${other}}], rules: [{http: {paths: [{backend: {service: {name: ${other}}}}]}}]}\n`;
    case 'Role':
      return `rules: [{apiGroups: [""], resources: [configmaps], resourceNames: [${other}], verbs: [get]}]\n`;
    case 'RoleBinding':
      return `roleRef: {kind: Role, name: ${other}}\nsubjects: [{kind: ServiceAccount, name: ${other}}]\n`;
    case 'HorizontalPodAutoscaler':
      return `spec: {scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: ${other}}}\n`;
    default:
      return '';
  }
}
