import { readdirSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { z } from 'zod';
import { jsonSchemas } from '../../../lib/fleet/json-schemas.ts';
import { fleetTemplate } from '../../../lib/fleet/template.ts';
import { samples } from '../../support/toolkit-samples.ts';

const directory = new URL('../../../schemas/', import.meta.url);

test('the published JSON Schemas are those of the code (node infra/schemas/generate.ts writes them)', () => {
  const schemas = jsonSchemas();
  expect(readdirSync(directory).toSorted()).toEqual(Object.keys(schemas).toSorted());
  for (const [name, schema] of Object.entries(schemas))
    expect(readFileSync(new URL(name, directory), 'utf8')).toBe(`${JSON.stringify(schema, null, 2)}\n`);
});

test('they describe what users write: nothing with a default is required', () => {
  const fleet = jsonSchemas()['slipway.json'];
  expect(fleet?.required).toBeUndefined();
  expect(fleet?.additionalProperties).toBe(false);
  expect(fleet?.properties?.clusters).toMatchObject({
    items: { required: ['name', 'source'] },
  });
});

/** Checks as an editor does, which knows the JSON Schema alone. */
function isValid(name: string, value: unknown): boolean {
  return z.fromJSONSchema(jsonSchemas()[name] as Parameters<typeof z.fromJSONSchema>[0]).safeParse(value)
    .success;
}

test('an editor accepts what is right and marks what is wrong', () => {
  const fleet = parse(fleetTemplate());
  expect(isValid('slipway.json', fleet)).toBe(true);
  expect(isValid('slipway.json', { ...fleet, cluster: [] })).toBe(false);
  expect(isValid('slipway.json', { ...fleet, sweep: { interval: 5 } })).toBe(false);
  for (const sample of samples) {
    const [group = '', version = ''] = sample.apiVersion.split('/');
    const name = `${sample.kind.toLowerCase()}-${group.split('.')[0]}-${version}.json`;
    expect(isValid(name, sample)).toBe(true);
    expect(isValid(name, { ...sample, spec: { ...(sample.spec as object), surplus: 1 } })).toBe(false);
    expect(isValid(name, { ...sample, spec: { ...(sample.spec as object), interval: '5x' } })).toBe(false);
  }
});
