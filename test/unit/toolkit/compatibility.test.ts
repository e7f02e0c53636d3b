import { describe, expect, test } from 'vitest';
import type { KubernetesObject } from '../../../lib/core/object.ts';
import { compareCrd, lostFields, upgradeCrd } from '../../../lib/toolkit/compatibility.ts';
import { customResourceDefinitions } from '../../../lib/toolkit/crd.ts';

interface Version {
  name: string;
  served: boolean;
  storage: boolean;
  schema: { openAPIV3Schema: Record<string, unknown> };
}

/** Our definition of Kustomization, with its only version changed. */
function installed(change: (version: Version) => Version | Version[]): KubernetesObject {
  const crd = structuredClone(customResourceDefinitions()[1]) as KubernetesObject & {
    spec: { versions: Version[] };
  };
  return { ...crd, spec: { ...crd.spec, versions: crd.spec.versions.flatMap(change) } };
}

/** Removes the fields at these paths of property names. */
function without(version: Version, ...paths: string[][]): Version {
  for (const path of paths) {
    let node = version.schema.openAPIV3Schema;
    for (const step of path.slice(0, -1)) node = node[step] as Record<string, unknown>;
    delete node[path.at(-1) as string];
  }
  return version;
}

describe('compareCrd', () => {
  test('finds nothing missing in our own definitions', () => {
    for (const crd of customResourceDefinitions())
      expect(compareCrd(crd)).toEqual({ served: true, missing: [] });
  });

  test('names fields that are missing, in lists and in status too, without those below', () => {
    const spec = ['properties', 'spec', 'properties'];
    const crd = installed((version) =>
      without(
        version,
        [...spec, 'ignore'],
        [...spec, 'images', 'items', 'properties', 'digest'],
        ['properties', 'status', 'properties', 'history'],
      ),
    );
    expect(compareCrd(crd)).toEqual({
      served: true,
      missing: ['spec.images[].digest', 'spec.ignore', 'status.history'],
    });
  });

  test('takes a schema that keeps unknown fields for complete', () => {
    const crd = installed((version) => {
      const { spec } = version.schema.openAPIV3Schema.properties as { spec: Record<string, unknown> };
      delete spec.properties;
      spec['x-kubernetes-preserve-unknown-fields'] = true;
      return version;
    });
    expect(compareCrd(crd)?.missing).toEqual([]);
  });

  test.each([
    ['is not there', (version: Version) => ({ ...version, name: 'v1beta2' })],
    ['is not served', (version: Version) => ({ ...version, served: false })],
  ])('says when our version %s', (_why, change) => {
    expect(compareCrd(installed(change))).toEqual({ served: false, missing: [] });
  });

  test('has no opinion on other definitions', () => {
    const crd = installed((version) => version);
    crd.metadata.name = 'certificates.cert-manager.io';
    expect(compareCrd(crd)).toBeUndefined();
    expect(upgradeCrd(crd)).toBeUndefined();
  });
});

describe('lostFields', () => {
  const object = {
    apiVersion: 'v1',
    kind: 'X',
    metadata: { name: 'x' },
    spec: { force: false, images: [{ name: 'a' }, { name: 'b', digest: 'c' }], patches: [] },
  };

  test('names the missing fields that an object sets, even to false', () => {
    const missing = [
      'spec.force',
      'spec.wait',
      'spec.images[].digest',
      'spec.images[].newTag',
      'spec.patches[].target',
    ];
    expect(lostFields(object, missing)).toEqual(['spec.force', 'spec.images[].digest']);
  });
});

describe('upgradeCrd', () => {
  test('keeps other versions, stores ours', () => {
    const old = installed((version) => [
      { ...version, storage: false },
      { ...version, name: 'v1beta2' },
    ]);
    const upgraded = upgradeCrd(old) as KubernetesObject & { spec: { versions: Version[] } };
    expect(upgraded.spec.versions.map(({ name, storage }) => [name, storage])).toEqual([
      ['v1', true],
      ['v1beta2', false],
    ]);
  });
});
