import type { ToolkitKind } from './kind.ts';
import { type StructuralSchema, structuralSchema } from './structural-schema.ts';

/** Told by `kubectl explain` for every kind. */
const TYPE_META = {
  apiVersion: 'Group and version of the schema that this object follows.',
  kind: 'Kind of the object, in CamelCase.',
} as const;

/** Until an object was reconciled its status shows generation -1, so that no tool takes it for up to date. */
const NOT_OBSERVED = { observedGeneration: -1 };

const schemas = new Map<string, StructuralSchema>();

/** The structural schema of the objects of a kind, made once. Of apiVersion, kind and metadata the API server allows the type alone. */
export function objectSchema(kind: ToolkitKind): StructuralSchema {
  const known = schemas.get(kind.kind);
  if (known) return known;
  const { description, properties = {} } = structuralSchema(kind.schema);
  const { spec = {}, status = {} } = properties;
  const schema: StructuralSchema = {
    ...(description === undefined ? {} : { description }),
    type: 'object',
    properties: {
      apiVersion: { type: 'string', description: TYPE_META.apiVersion },
      kind: { type: 'string', description: TYPE_META.kind },
      metadata: { type: 'object' },
      spec,
      status: { ...status, default: NOT_OBSERVED },
    },
  };
  schemas.set(kind.kind, schema);
  return schema;
}
