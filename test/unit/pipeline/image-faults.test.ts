import { expect, test } from 'vitest';
import type { KubernetesObject } from '../../../lib/core/object.ts';
import { imageFaults } from '../../../lib/pipeline/image-faults.ts';
import { parseToolkitObject } from '../../../lib/toolkit/parse.ts';
import { samples } from '../../support/toolkit-samples.ts';

function faultsOf(kind: string, spec: unknown): string[] {
  const parsed = parseToolkitObject({
    apiVersion: 'image.toolkit.fluxcd.io/v1',
    kind,
    metadata: { name: 'app', namespace: 'apps' },
    spec,
  } as KubernetesObject);
  if (!parsed.ok) throw new Error(parsed.errors[0]?.message);
  return imageFaults(parsed.object).map(({ path, message }) => `${path}: ${message}`);
}

test('sound objects have no faults, and other kinds are not looked at', () => {
  for (const sample of samples) {
    const parsed = parseToolkitObject(sample);
    expect(parsed.ok && imageFaults(parsed.object)).toEqual([]);
  }
});

test('names and patterns of images that cannot be used are found without a registry', () => {
  const spec = { image: 'https://ghcr.io/a/b', interval: '1h', exclusionList: ['ok', '['] };
  expect(faultsOf('ImageRepository', spec)).toEqual([
    "spec.image: image 'https://ghcr.io/a/b' should not include URL scheme; remove 'https://'",
    "spec.exclusionList[1]: the pattern '[' is invalid: missing closing ]: `[`",
  ]);
});

test('ranges, orders and patterns of policies that cannot be used are found', () => {
  const ref = { imageRepositoryRef: { name: 'app' } };
  expect(faultsOf('ImagePolicy', { ...ref, policy: { semver: { range: 'x1' } } })).toEqual([
    expect.stringMatching(/^spec\.policy\.semver\.range: 'x1' is no range/),
  ]);
  expect(faultsOf('ImagePolicy', { ...ref, policy: {}, filterTags: { pattern: '(?=x)' } })).toEqual([
    expect.stringMatching(/^spec\.policy: spec\.policy names no policy/),
    expect.stringMatching(/^spec\.filterTags\.pattern: the pattern '\(\?=x\)' is invalid/),
  ]);
});
