import { type JsonSchema, jsonSchemaOf } from '../core/json-schema.ts';
import { kinds } from './registry.ts';

/**
 * A JSON Schema for each reconciled kind, by file name. The names follow `<kind>-<first part of the group>-<version>.json`, where
 * editors and kubeconform look.
 */
export function toolkitJsonSchemas(): Record<string, JsonSchema> {
  return Object.fromEntries(
    kinds.map(({ kind, group, version, schema }) => [
      `${kind.toLowerCase()}-${group.split('.')[0]}-${version}.json`,
      jsonSchemaOf(schema, kind),
    ]),
  );
}
