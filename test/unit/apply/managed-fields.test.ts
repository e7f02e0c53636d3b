import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isForeign, ownsPath, takeOverPatch, unionFields } from '../../../lib/apply/managed-fields.ts';
import { isMap, type JsonMap } from '../../../lib/apply/pointer.ts';

/** All paths that a trie says are owned. */
function members(fields: JsonMap, path = ''): Set<string> {
  const result = new Set<string>();
  for (const [key, child] of Object.entries(fields)) {
    if (key === '.') result.add(path);
    else if (isMap(child) && Object.keys(child).length > 0)
      for (const each of members(child, `${path}/${key}`)) result.add(each);
    else result.add(`${path}/${key}`);
  }
  return result;
}

const { trie } = fc.letrec<{ trie: JsonMap; child: JsonMap }>((tie) => ({
  trie: fc.dictionary(fc.constantFrom('f:a', 'f:b', 'k:{"name":"c"}'), tie('child'), {
    minKeys: 1,
    maxKeys: 3,
  }),
  child: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    fc.constant({}),
    tie('trie').map((inner) => ({ '.': {}, ...inner })),
    tie('trie'),
  ),
}));

describe('the union of two field sets', () => {
  test('owns exactly what one of them owns', () => {
    fc.assert(
      fc.property(trie, trie, (a, b) => {
        expect(members(unionFields(a, b))).toEqual(new Set([...members(a), ...members(b)]));
      }),
    );
  });

  test('does not depend on the order, and changes nothing when repeated', () => {
    fc.assert(
      fc.property(trie, trie, (a, b) => {
        expect(members(unionFields(a, b))).toEqual(members(unionFields(b, a)));
        expect(unionFields(unionFields(a, b), b)).toEqual(unionFields(a, b));
      }),
    );
  });
});

test.each([
  ['kubectl-edit', 'Update', '', true],
  ['kubectl', 'Apply', '', true],
  ['kubectl', 'Update', 'scale', false],
  ['before-first-apply', 'Update', '', true],
  ['kustomize-controller', 'Update', '', true],
  ['kustomize-controller', 'Apply', '', false],
  ['helm', 'Update', '', false],
  ['flux-client-side-apply', 'Update', '', false],
  ['flux-client-side-apply', 'Apply', '', false],
] as const)('fields of %s (%s %s) are taken over: %s', (manager, operation, subresource, expected) => {
  const entry = { manager, operation, ...(subresource ? { subresource } : {}) };
  expect(isForeign(entry, 'kustomize-controller')).toBe(expected);
});

describe('the take-over patch', () => {
  const ours = {
    manager: 'us',
    operation: 'Apply' as const,
    apiVersion: 'v1',
    fieldsV1: { 'f:data': { 'f:a': {} } },
  };
  const edit = {
    manager: 'kubectl-edit',
    operation: 'Update' as const,
    fieldsV1: { 'f:data': { 'f:b': {} } },
  };
  const other = { manager: 'other', operation: 'Update' as const, fieldsV1: { 'f:x': {} } };

  test('is empty where nothing is to be taken over', () => {
    expect(takeOverPatch({ name: 'a', managedFields: [ours, other] }, 'us')).toBeUndefined();
  });

  test('folds foreign entries into ours, keeps others, and carries the resourceVersion', () => {
    const patch = takeOverPatch(
      { name: 'a', resourceVersion: '7', managedFields: [ours, edit, other] },
      'us',
    );
    expect(patch).toEqual([
      {
        op: 'replace',
        path: '/metadata/managedFields',
        value: [other, { ...ours, fieldsV1: { 'f:data': { 'f:a': {}, 'f:b': {} } } }],
      },
      { op: 'replace', path: '/metadata/resourceVersion', value: '7' },
    ]);
  });

  test('makes the first foreign entry ours where we have none', () => {
    const patch = takeOverPatch({ name: 'a', resourceVersion: '7', managedFields: [edit] }, 'us');
    expect(patch?.[0]?.value).toEqual([{ ...edit, manager: 'us', operation: 'Apply' }]);
  });

  test('removes what clients leave behind', () => {
    const annotations = { 'kubectl.kubernetes.io/last-applied-configuration': '{}', kept: 'x' };
    const patch = takeOverPatch({ name: 'a', resourceVersion: '7', annotations }, 'us');
    expect(patch?.[0]).toEqual({
      op: 'remove',
      path: '/metadata/annotations/kubectl.kubernetes.io~1last-applied-configuration',
    });
  });
});

test('list items are found in a field set by their keys', () => {
  const live = { spec: { containers: [{ name: 'a' }, { name: 'b', image: 'x' }], args: ['one', 'two'] } };
  const fields = {
    'f:spec': {
      'f:containers': { 'k:{"name":"b"}': { '.': {}, 'f:image': {} } },
      'f:args': { 'v:"two"': {} },
    },
  };
  expect(ownsPath(fields, live, ['spec', 'containers', '1', 'image'])).toBe(true);
  expect(ownsPath(fields, live, ['spec', 'containers', '0', 'image'])).toBe(false);
  expect(ownsPath(fields, live, ['spec', 'args', '1'])).toBe(true);
  expect(ownsPath(fields, live, ['spec', 'args', '0'])).toBe(false);
});
