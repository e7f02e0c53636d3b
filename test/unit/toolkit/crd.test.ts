import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { customResourceDefinitions } from '../../../lib/toolkit/crd.ts';
import { objectSchema } from '../../../lib/toolkit/object-schema.ts';
import { kinds } from '../../../lib/toolkit/registry.ts';
import type { StructuralSchema } from '../../../lib/toolkit/structural-schema.ts';
import { samples } from '../../support/toolkit-samples.ts';

/** Every schema below one, with its path. */
function fieldsOf(schema: StructuralSchema, path = ''): [string, StructuralSchema][] {
  const own: [string, StructuralSchema][] = path === '' ? [] : [[path, schema]];
  const members = Object.entries(schema.properties ?? {}).flatMap(([name, field]) =>
    fieldsOf(field, path === '' ? name : `${path}.${name}`),
  );
  const items = schema.items ? fieldsOf(schema.items, `${path}[]`) : [];
  const values = schema.additionalProperties ? fieldsOf(schema.additionalProperties, `${path}{}`) : [];
  return [...own, ...members, ...items, ...values];
}

const RULES = [
  'default',
  'enum',
  'pattern',
  'format',
  'minLength',
  'maxLength',
  'minItems',
  'maxItems',
  'minimum',
  'maximum',
  'required',
  'x-kubernetes-list-map-keys',
  'x-kubernetes-list-type',
  'x-kubernetes-map-type',
  'x-kubernetes-validations',
] as const;

function lineOf(kind: string, path: string, field: StructuralSchema): string {
  const rules = RULES.filter((rule) => field[rule] !== undefined).map((rule) => {
    const sorted = rule === 'required' || rule === 'enum' ? field[rule]?.toSorted() : field[rule];
    return `${rule}=${JSON.stringify(sorted, sortKeys)}`;
  });
  return [kind, path, field.type, ...rules].join(' ');
}

function sortKeys(_key: string, value: unknown): unknown {
  if (value === null || typeof value !== 'object' || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)));
}

describe('the generated schemas', () => {
  test("have exactly the fields, types, defaults and rules of the Toolkit's API", () => {
    const text = readFileSync(new URL('../../fixtures/toolkit/fields.txt', import.meta.url), 'utf8');
    const expected = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
    const lines = kinds.flatMap((kind) =>
      fieldsOf(objectSchema(kind)).map(([path, field]) => lineOf(kind.kind, path, field)),
    );
    expect(lines.toSorted()).toEqual(expected.toSorted());
  });

  test('explain every field', () => {
    for (const kind of kinds) {
      const silent = fieldsOf(objectSchema(kind)).filter(
        ([path, field]) =>
          field.description === undefined && path !== 'metadata' && !/(\[\]|\{\})$/.test(path),
      );
      expect(silent.map(([path]) => path)).toEqual([]);
    }
  });

  test('have a sample for every field of spec', () => {
    for (const kind of kinds) {
      const mine = samples.filter((sample) => sample.kind === kind.kind);
      const paths = fieldsOf(objectSchema(kind)).map(([path]) => path);
      const unset = paths.filter(
        (path) => path.startsWith('spec') && !mine.some((sample) => isSet(sample, path)),
      );
      expect(unset).toEqual([]);
    }
  });
});

function isSet(value: unknown, path: string): boolean {
  let nodes: unknown[] = [value];
  for (const step of path.split('.')) {
    const [name = '', ...suffixes] = step.split(/(?=\[\]|\{\})/);
    nodes = nodes.map((node) => (node as Record<string, unknown> | undefined)?.[name]);
    for (const _ of suffixes)
      nodes = nodes.flatMap((node) => Object.values((node as object | undefined) ?? {}));
  }
  return nodes.some((node) => node !== undefined);
}

test('a CustomResourceDefinition has one version, which is served and stored, with a status subresource', () => {
  for (const crd of customResourceDefinitions()) {
    const { versions } = crd.spec as { versions: object[] };
    expect(versions).toHaveLength(1);
    expect(versions[0]).toMatchObject({
      name: 'v1',
      served: true,
      storage: true,
      subresources: { status: {} },
    });
  }
});

test('the text of the definitions is not open to variable substitution', () => {
  for (const crd of customResourceDefinitions())
    expect(crd.metadata.annotations).toEqual({ 'kustomize.toolkit.fluxcd.io/substitute': 'disabled' });
});
