import type { KubernetesObject } from '../core/object.ts';

/** Of ES2026 and in Node 22 and later; not yet among TypeScript's types. https://github.com/tc39/proposal-json-parse-with-source */
interface JsonWithSource {
  parse(
    text: string,
    reviver: (key: string, value: unknown, context: { source?: string }) => unknown,
  ): unknown;
  rawJSON(text: string): object;
}
const json = JSON as unknown as JsonWithSource;

/**
 * Parses the engine's array of objects. Integers beyond 2^53, which a JavaScript number would round, become `JSON.rawJSON`
 * values: `JSON.stringify` writes them out digit by digit as they were.
 */
export function parseObjects(payload: Uint8Array): KubernetesObject[] {
  const text = Buffer.from(payload.buffer, payload.byteOffset, payload.byteLength).toString('utf8');
  if (!/\d{16}/.test(text)) return JSON.parse(text) as KubernetesObject[];
  return json.parse(text, (_key, value, { source }) =>
    typeof value === 'number' &&
    Number.isInteger(value) &&
    !Number.isSafeInteger(value) &&
    source !== undefined
      ? json.rawJSON(source)
      : value,
  ) as KubernetesObject[];
}
