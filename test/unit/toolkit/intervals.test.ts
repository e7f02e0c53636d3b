import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { GitRepository, gitTimeoutOf } from '../../../lib/toolkit/git-repository.ts';
import { deletionPolicyOf, intervalOf, retryIntervalOf, timeoutOf } from '../../../lib/toolkit/intervals.ts';
import { Kustomization } from '../../../lib/toolkit/kustomization.ts';

function kustomization(spec: object): Kustomization {
  return Kustomization.parse({
    apiVersion: 'kustomize.toolkit.fluxcd.io/v1',
    kind: 'Kustomization',
    metadata: { name: 'web', namespace: 'apps' },
    spec: { interval: '10m', prune: true, sourceRef: { kind: 'GitRepository', name: 'app' }, ...spec },
  });
}

describe('durations of a Kustomization', () => {
  test('come from its fields', () => {
    const object = kustomization({ interval: '1h', retryInterval: '2m', timeout: '3m30s' });
    expect(intervalOf(object)).toBe(3_600_000);
    expect(retryIntervalOf(object)).toBe(120_000);
    expect(timeoutOf(object)).toBe(210_000);
  });

  test('have defaults: retry as often as interval, time out 30 s before the next run', () => {
    const object = kustomization({ interval: '10m' });
    expect(retryIntervalOf(object)).toBe(600_000);
    expect(timeoutOf(object)).toBe(570_000);
  });

  test.each([
    [{ interval: '45s' }, 30_000],
    [{ interval: '10m', timeout: '5s' }, 30_000],
    [{ interval: '10m', timeout: '31s' }, 31_000],
  ])('leave at least 30 s: %j', (spec, expected) => {
    expect(timeoutOf(kustomization(spec))).toBe(expected);
  });

  test('are positive and in order for every interval', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 100_000 }),
        fc.constantFrom('ms', 's', 'm', 'h'),
        (amount, unit) => {
          const object = kustomization({ interval: `${amount}${unit}` });
          expect(timeoutOf(object)).toBe(Math.max(30_000, intervalOf(object) - 30_000));
          expect(retryIntervalOf(object)).toBe(intervalOf(object));
          expect(intervalOf(object)).toBeGreaterThan(0);
        },
      ),
    );
  });
});

test.each([
  [{ prune: true }, 'Delete'],
  [{ prune: false }, 'Orphan'],
  [{ prune: false, deletionPolicy: 'MirrorPrune' }, 'Orphan'],
  [{ prune: false, deletionPolicy: 'Delete' }, 'Delete'],
  [{ prune: true, deletionPolicy: 'Orphan' }, 'Orphan'],
  [{ prune: true, deletionPolicy: 'WaitForTermination' }, 'WaitForTermination'],
])('the deletion policy of %j is %s', (spec, expected) => {
  expect(deletionPolicyOf(kustomization(spec))).toBe(expected);
});

test('a Git operation may take 60 s unless the object says otherwise', () => {
  const repository = (spec: object) =>
    GitRepository.parse({
      apiVersion: 'source.toolkit.fluxcd.io/v1',
      kind: 'GitRepository',
      metadata: { name: 'app', namespace: 'apps' },
      spec: { url: 'https://git.example.com/app', interval: '1m', ...spec },
    });
  expect(gitTimeoutOf(repository({}))).toBe(60_000);
  expect(gitTimeoutOf(repository({ timeout: '1m500ms' }))).toBe(60_500);
});
