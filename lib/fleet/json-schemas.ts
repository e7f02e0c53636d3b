import { type JsonSchema, jsonSchemaOf } from '../core/json-schema.ts';
import { toolkitJsonSchemas } from '../toolkit/json-schemas.ts';
import { FleetFile } from './fleet.ts';

/** All published JSON Schemas by file name: `slipway.json` for the fleet file, and one for each Toolkit kind. */
export function jsonSchemas(): Record<string, JsonSchema> {
  return { 'slipway.json': jsonSchemaOf(FleetFile, 'slipway.yaml'), ...toolkitJsonSchemas() };
}
