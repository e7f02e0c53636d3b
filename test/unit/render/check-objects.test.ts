import { describe, expect, test } from 'vitest';
import type { KubernetesObject } from '../../../lib/core/object.ts';
import { checkObjects } from '../../../lib/render/check-objects.ts';

const object = (fields: object = {}, metadata: object = {}) =>
  ({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'a', ...metadata },
    ...fields,
  }) as KubernetesObject;

describe('objects to be applied', () => {
  test('are fine when they differ in kind, name, namespace or group', () => {
    checkObjects([
      object(),
      object({ kind: 'Secret' }),
      object({}, { name: 'b' }),
      object({}, { namespace: 'x' }),
      object({ apiVersion: 'example.com/v1' }),
    ]);
  });

  test.each<[string, object, object, RegExp]>([
    ['a missing name', {}, { name: undefined }, /metadata\.name is missing/],
    ['a number as name', {}, { name: 42 }, /metadata\.name is 42, not a text/],
    ['an empty name', {}, { name: '' }, /metadata\.name is missing/],
    ['a boolean as kind', { kind: true }, {}, /kind is true, not a text/],
    ['a missing apiVersion', { apiVersion: undefined }, {}, /apiVersion is missing/],
    ['no metadata', { metadata: null }, {}, /metadata\.name is missing/],
    ['a number as namespace', {}, { namespace: 7 }, /metadata\.namespace is not a text/],
  ])('are refused for %s', (_what, fields, metadata, message) => {
    expect(() => checkObjects([object(fields, metadata)])).toThrow(message);
  });

  test('are refused when one occurs twice, also in another version', () => {
    expect(() => checkObjects([object(), object()])).toThrow(/ConfigMap\/a occurs twice/);
    const versions = ['apps/v1', 'apps/v1beta1'].map((apiVersion) =>
      object({ apiVersion }, { namespace: 'x' }),
    );
    expect(() => checkObjects(versions)).toThrow(/ConfigMap\/x\/a occurs twice/);
  });
});
