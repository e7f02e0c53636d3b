import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { KubernetesObject } from '../../../lib/core/object.ts';
import { parseToolkitObject } from '../../../lib/toolkit/parse.ts';
import { unsupportedKinds } from '../../../lib/toolkit/registry.ts';
import { mutate, mutation, samples } from '../../support/toolkit-samples.ts';

function kustomization(spec: object, more: object = {}): KubernetesObject {
  return {
    apiVersion: 'kustomize.toolkit.fluxcd.io/v1',
    kind: 'Kustomization',
    metadata: { name: 'web', namespace: 'apps' },
    spec: { interval: '10m', prune: true, sourceRef: { kind: 'GitRepository', name: 'app' }, ...spec },
    ...more,
  };
}

function messages(object: KubernetesObject): string[] {
  const result = parseToolkitObject(object);
  return result.ok ? [] : result.errors.map(({ message }) => message);
}

describe('parseToolkitObject', () => {
  test.each(samples.map((sample) => [sample.kind, sample.metadata.name, sample] as const))(
    'reads the sample %s %s',
    (_kind, _name, sample) => {
      const result = parseToolkitObject(sample);
      expect(result.ok && result.object).toMatchObject(sample);
    },
  );

  test('sets the defaults of a Kustomization', () => {
    const result = parseToolkitObject(
      kustomization({ postBuild: { substituteFrom: [{ kind: 'Secret', name: 'a' }] } }),
    );
    expect(result.ok && result.object.spec).toEqual({
      interval: '10m',
      prune: true,
      force: false,
      sourceRef: { kind: 'GitRepository', name: 'app' },
      postBuild: { substituteFrom: [{ kind: 'Secret', name: 'a', optional: false }] },
    });
  });

  test('sets the defaults of a GitRepository', () => {
    const result = parseToolkitObject({
      apiVersion: 'source.toolkit.fluxcd.io/v1',
      kind: 'GitRepository',
      metadata: { name: 'app', namespace: 'apps' },
      spec: {
        url: 'https://git.example.com/app',
        interval: '1m',
        verify: { secretRef: { name: 'keys' } },
        timeout: null,
      },
    });
    expect(result.ok && result.object.spec).toEqual({
      url: 'https://git.example.com/app',
      interval: '1m',
      timeout: '60s',
      verify: { mode: 'HEAD', secretRef: { name: 'keys' } },
    });
  });

  test('keeps metadata, and fields of status that it does not know', () => {
    const object = kustomization(
      {},
      { status: { observedGeneration: 3, newer: { field: 1 }, inventory: { entries: [] } } },
    );
    object.metadata.managedFields = [{ manager: 'x' }];
    const result = parseToolkitObject(object);
    expect(result.ok && result.object.metadata).toEqual(object.metadata);
    expect(result.ok && result.object.status).toEqual(object.status);
  });

  test('names object, path and fault, all at once', () => {
    expect(
      messages(
        kustomization({
          interval: '10 minutes',
          prune: 'yes',
          sourceRef: { kind: 'GitRepo', name: 'app' },
          prun: true,
          images: [{ name: 'a', tag: 'v1' }],
          postBuild: { substitute: { replicas: 3 } },
        }),
      ),
    ).toEqual([
      'Kustomization/apps/web: spec.interval: must be a duration such as 30s, 10m or 1h30m',
      'Kustomization/apps/web: spec.sourceRef.kind: must be OCIRepository, GitRepository, Bucket or ExternalArtifact',
      'Kustomization/apps/web: spec.prune: must be true or false, not a string',
      'Kustomization/apps/web: spec.postBuild.substitute.replicas: must be a string, not a number',
      'Kustomization/apps/web: spec.images[0].tag: unknown field; did you mean newTag?',
      'Kustomization/apps/web: spec.prun: unknown field; did you mean prune?',
    ]);
  });

  test('says what is missing', () => {
    const object = { ...kustomization({}), spec: {} };
    expect(messages(object)).toEqual([
      'Kustomization/apps/web: spec.interval: is required',
      'Kustomization/apps/web: spec.sourceRef: is required',
      'Kustomization/apps/web: spec.prune: is required',
    ]);
    expect(messages({ ...object, spec: undefined })).toEqual(['Kustomization/apps/web: spec: is required']);
  });

  test.each([
    [{}, 'exactly one of configMapRef and secretRef must be set'],
    [
      { secretRef: { name: 'a' }, configMapRef: { name: 'b' } },
      'exactly one of configMapRef and secretRef must be set',
    ],
  ])('refuses the kubeConfig %j', (kubeConfig, fault) => {
    expect(messages(kustomization({ kubeConfig }))).toEqual([
      `Kustomization/apps/web: spec.kubeConfig: ${fault}`,
    ]);
  });

  test('refuses an older version, naming the one to use', () => {
    expect(messages(kustomization({}, { apiVersion: 'kustomize.toolkit.fluxcd.io/v1beta2' }))).toEqual([
      'Kustomization/apps/web: apiVersion: kustomize.toolkit.fluxcd.io/v1beta2 is not supported, change it to kustomize.toolkit.fluxcd.io/v1',
    ]);
  });

  test.each(unsupportedKinds.map((entry) => [entry.kind, entry] as const))(
    'says that %s is not supported yet',
    (kind, entry) => {
      const object = {
        apiVersion: `${entry.group}/${entry.version}`,
        kind,
        metadata: { name: 'x', namespace: 'apps' },
      };
      expect(messages(object)).toEqual([
        `${kind}/apps/x: kind: ${kind} is not supported yet; this object has no effect, remove it or keep Flux for it`,
      ]);
    },
  );

  test.each([
    ['kustomize.toolkit.fluxcd.io/v1', 'Kustomisation', 'did you mean Kustomization?'],
    ['helm.toolkit.fluxcd.io/v2', 'Chart', 'its kinds are HelmRelease'],
    ['new.toolkit.fluxcd.io/v1', 'Thing', 'the group new.toolkit.fluxcd.io is not known'],
    ['v1', 'ConfigMap', 'ConfigMap in group core is not a Toolkit kind'],
  ])('tells an unknown kind of %s apart', (apiVersion, kind, fault) => {
    const [message, ...more] = messages({ apiVersion, kind, metadata: { name: 'x' } });
    expect(more).toEqual([]);
    expect(message).toContain(fault);
  });

  test('never throws, and never repeats a value in a message', () => {
    fc.assert(
      fc.property(fc.constantFrom(...samples), fc.nat(), mutation, (sample, pick, replacement) => {
        const result = parseToolkitObject(mutate(sample, pick, replacement));
        if (result.ok) return;
        expect(result.errors.length).toBeGreaterThan(0);
        for (const { path, message } of result.errors) {
          expect(message).toContain(`${sample.kind}/default/mutant: ${path}: `);
          expect(message).not.toContain('yyy');
        }
      }),
    );
  });

  test('read again, what was read stays the same', () => {
    fc.assert(
      fc.property(fc.constantFrom(...samples), fc.nat(), mutation, (sample, pick, replacement) => {
        const first = parseToolkitObject(mutate(sample, pick, replacement));
        if (!first.ok) return;
        const second = parseToolkitObject(first.object as unknown as KubernetesObject);
        expect(second.ok && second.object).toEqual(first.object);
      }),
    );
  });
});
