import * as z from 'zod';

/** A JSON Schema, draft 7: the draft that all editors and checkers read. */
export type JsonSchema = z.core.JSONSchema.BaseSchema;

/** The JSON Schema of what a user writes for a zod schema: before defaults and conversions. */
export function jsonSchemaOf(schema: z.ZodType, title: string): JsonSchema {
  const { $schema, ...rest } = z.toJSONSchema(schema, {
    io: 'input',
    target: 'draft-07',
    unrepresentable: 'any',
    override: ({ jsonSchema }) => tidy(jsonSchema),
  });
  return { $schema, title, ...rest } as JsonSchema;
}

/** Leaves out bounds that only say what JavaScript can count, and keywords of Kubernetes. */
function tidy(schema: JsonSchema): void {
  if (schema.minimum === Number.MIN_SAFE_INTEGER) delete schema.minimum;
  if (schema.maximum === Number.MAX_SAFE_INTEGER) delete schema.maximum;
  if (schema.pattern !== undefined) schema.pattern = schema.pattern.replaceAll('\\/', '/');
  delete schema['x-kubernetes-list-map-keys'];
  delete schema['x-kubernetes-list-type'];
  delete schema['x-kubernetes-map-type'];
  delete schema['x-kubernetes-validations'];
}
