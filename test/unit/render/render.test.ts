import { describe, expect, test } from 'vitest';
import type { BuildAnswer, BuildContext, BuildRequest, Engine } from '../../../lib/render/engine.ts';
import { EngineFault } from '../../../lib/render/engine-process.ts';
import { type RenderInput, render } from '../../../lib/render/render.ts';
import { kustomization } from '../../support/render.ts';

const object = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'a' } };
const closure = { files: ['a.yaml'], missing: [], directories: ['.'] };

/** An engine that answers always the same, and remembers what it was asked. */
function engineWith(answer: Partial<BuildAnswer> | Error = {}) {
  const asked: { request: BuildRequest; context: BuildContext }[] = [];
  const engine: Engine = {
    async build(request, context) {
      asked.push({ request, context });
      if (answer instanceof Error) throw answer;
      const payload = Buffer.from(JSON.stringify([object]));
      return { ok: true, code: '', error: '', closure, warnings: ['w'], secrets: [], payload, ...answer };
    },
    warm() {},
    async close() {},
  };
  return { engine, asked };
}

const input = (fields: Partial<RenderInput> = {}): RenderInput => ({
  kustomization: kustomization({ path: './apps' }),
  artifactDigest: 'sha256:abc',
  readTree: async () => new Uint8Array(),
  variables: {},
  tenant: 'production/apps',
  ...fields,
});

describe('a render', () => {
  test('gives objects, digest, closure and warnings', async () => {
    const rendered = await render(engineWith().engine, input());
    expect(rendered).toEqual({
      objects: [object],
      closure,
      warnings: ['w'],
      secrets: [],
      digest: expect.stringMatching(/^sha256:[0-9a-f]{64}$/),
    });
  });

  test('asks for the tree of the artifact, for its tenant, with the fields that change the build', async () => {
    const { engine, asked } = engineWith();
    const spec = {
      path: './apps',
      targetNamespace: 'shop',
      wait: true,
      images: [{ name: 'a', newTag: '1' }],
    };
    await render(engine, input({ kustomization: kustomization(spec) }));
    expect(asked[0]?.request).toEqual({
      tree: 'sha256:abc',
      path: './apps',
      spec: { targetNamespace: 'shop', images: [{ name: 'a', newTag: '1' }] },
    });
    expect(asked[0]?.context.tenant).toBe('production/apps');
  });

  test('decrypts and substitutes only when the spec says so', async () => {
    const { engine, asked } = engineWith();
    const decryption = { ageIdentities: ['x'], pgpKeys: [] };
    const spec = { decryption: { provider: 'sops' as const }, postBuild: { substitute: { a: 'b' } } };
    await render(engine, input({ variables: { a: 'b' }, decryption }));
    await render(engine, input({ variables: { a: 'b' }, decryption, kustomization: kustomization(spec) }));
    expect(asked[0]?.request).not.toHaveProperty('substitute');
    expect(asked[0]?.request).not.toHaveProperty('decrypt');
    expect(asked[1]?.request).toMatchObject({
      decrypt: true,
      substitute: { variables: { a: 'b' }, always: false },
    });
    expect(asked[1]?.context.decryption).toBe(decryption);
  });

  test('of a path that is not there is an ArtifactFailed, of anything else a BuildFailed', async () => {
    const failing = (code: string) => render(engineWith({ ok: false, code, error: 'why' }).engine, input());
    await expect(failing('NotFound')).rejects.toMatchObject({ reason: 'ArtifactFailed', outcome: 'retry' });
    for (const code of ['BuildFailed', 'RemoteRefused', 'DecryptionFailed', 'PostBuildFailed', 'Panic']) {
      const message = 'build of path "./apps" failed: why';
      await expect(failing(code)).rejects.toMatchObject({ reason: 'BuildFailed', message });
    }
  });

  test('that the engine did not survive is a BuildFailed', async () => {
    const { engine } = engineWith(new EngineFault('no result after 60 s'));
    await expect(render(engine, input())).rejects.toMatchObject({
      reason: 'BuildFailed',
      message: expect.stringContaining('no result after 60 s'),
    });
  });

  test('lets errors of others through, so that a lost artifact does not look like a bad manifest', async () => {
    const lost = new Error('the blob is gone');
    await expect(render(engineWith(lost).engine, input())).rejects.toBe(lost);
  });

  test('keeps values of variables out of errors, or only those named as secrets', async () => {
    const { engine } = engineWith({
      ok: false,
      code: 'PostBuildFailed',
      error: 'bad hunter22 in production',
    });
    const variables = { password: 'hunter22', stage: 'production' };
    await expect(render(engine, input({ variables }))).rejects.toThrow('bad *** in ***');
    await expect(render(engine, input({ variables, secrets: ['hunter22'] }))).rejects.toThrow(
      'bad *** in production',
    );
  });

  test('refuses objects that cannot be applied', async () => {
    const { engine } = engineWith({ payload: Buffer.from(JSON.stringify([object, object])) });
    await expect(render(engine, input())).rejects.toThrow(/occurs twice/);
  });
});
