import * as z from 'zod';

/** A structural schema as a CustomResourceDefinition holds it. https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources */
export interface StructuralSchema {
  type?: string;
  description?: string;
  format?: string;
  pattern?: string;
  enum?: unknown[];
  default?: unknown;
  minimum?: number;
  maximum?: number;
  minLength?: number;
  maxLength?: number;
  minItems?: number;
  maxItems?: number;
  required?: string[];
  properties?: Record<string, StructuralSchema>;
  additionalProperties?: StructuralSchema;
  items?: StructuralSchema;
  'x-kubernetes-list-map-keys'?: string[];
  'x-kubernetes-list-type'?: 'atomic' | 'map' | 'set';
  'x-kubernetes-map-type'?: 'atomic' | 'granular';
  'x-kubernetes-validations'?: { rule: string; message: string }[];
}

/** Keywords that mean the same in JSON Schema and in a structural schema. */
const KEPT = [
  'type',
  'description',
  'format',
  'enum',
  'default',
  'minLength',
  'maxLength',
  'minItems',
  'maxItems',
  'x-kubernetes-list-map-keys',
  'x-kubernetes-list-type',
  'x-kubernetes-map-type',
  'x-kubernetes-validations',
] as const;

/**
 * Turns a zod schema into a structural schema: without `additionalProperties: false`, which the API server refuses there (it
 * prunes or refuses unknown fields by itself), and without bounds that only say what JavaScript can count.
 */
export function structuralSchema(schema: z.ZodType): StructuralSchema {
  return convert(z.toJSONSchema(schema, { io: 'input', target: 'openapi-3.0', unrepresentable: 'any' }));
}

type JsonSchema = z.core.JSONSchema.BaseSchema;

function convert(source: JsonSchema): StructuralSchema {
  const result: StructuralSchema = {};
  for (const keyword of KEPT)
    if (source[keyword] !== undefined) Object.assign(result, { [keyword]: source[keyword] });
  if (source.pattern !== undefined) result.pattern = source.pattern.replaceAll('\\/', '/');
  if (source.minimum !== undefined && source.minimum > Number.MIN_SAFE_INTEGER)
    result.minimum = source.minimum;
  if (source.maximum !== undefined && source.maximum < Number.MAX_SAFE_INTEGER)
    result.maximum = source.maximum;
  if (source.required !== undefined && source.required.length > 0)
    result.required = source.required.toSorted();
  if (source.properties !== undefined)
    result.properties = Object.fromEntries(
      Object.entries(source.properties).map(([name, value]) => [name, convert(value as JsonSchema)]),
    );
  if (isValueSchema(source.additionalProperties))
    result.additionalProperties = convert(source.additionalProperties);
  if (source.items !== undefined) result.items = convert(source.items as JsonSchema);
  return result;
}

/** The schema of a map's values; `false` and the empty schema of open objects say nothing that a structural schema can hold. */
function isValueSchema(value: unknown): value is JsonSchema {
  return typeof value === 'object' && value !== null && Object.keys(value).length > 0;
}

/** A field without a value (`timeout:` in YAML) counts as left out where there is a default, as with the API server. */
export function withoutDefaultedNulls(value: unknown, schema: StructuralSchema): unknown {
  const { properties, items, additionalProperties } = schema;
  if (Array.isArray(value)) return items ? value.map((item) => withoutDefaultedNulls(item, items)) : value;
  if (value === null || typeof value !== 'object') return value;
  const entries = Object.entries(value).flatMap(([key, member]) => {
    const field = properties && Object.hasOwn(properties, key) ? properties[key] : additionalProperties;
    if (member === null && field?.default !== undefined) return [];
    return [[key, field ? withoutDefaultedNulls(member, field) : member]];
  });
  return Object.fromEntries(entries);
}
