import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { jsonSchemas } from '../../lib/fleet/json-schemas.ts';

/** Writes `schemas/*.json` from the schemas in code. Run it after every change of a schema; a test compares. */
const directory = fileURLToPath(new URL('../../schemas/', import.meta.url));
const schemas = jsonSchemas();

mkdirSync(directory, { recursive: true });
for (const name of readdirSync(directory))
  if (name.endsWith('.json') && schemas[name] === undefined) rmSync(`${directory}${name}`);
for (const [name, schema] of Object.entries(schemas))
  writeFileSync(`${directory}${name}`, `${JSON.stringify(schema, null, 2)}\n`);
