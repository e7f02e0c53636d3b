import { hash } from 'node:crypto';

/** `sha256:<hex>` of bytes or text. */
export function sha256(data: string | Uint8Array): string {
  return `sha256:${hash('sha256', data)}`;
}

/** Of Node 22 and later; not yet among TypeScript's types. https://github.com/tc39/proposal-json-parse-with-source */
const { isRawJSON } = JSON as unknown as { isRawJSON(value: unknown): boolean };

/** JSON with sorted keys: equal values give equal text. `undefined` members are left out, as in JSON. */
export function canonicalJson(value: unknown): string {
  return JSON.stringify(sorted(value));
}

/** A copy with sorted keys: half the time of a replacer, which is called for every member. */
function sorted(value: unknown): unknown {
  // Integers beyond 2^53 stand as `JSON.rawJSON`, which writes itself.
  if (value === null || typeof value !== 'object' || isRawJSON(value)) return value;
  if (Array.isArray(value)) return value.map(sorted);
  const { toJSON } = value as { toJSON?: unknown };
  if (typeof toJSON === 'function') return sorted(toJSON.call(value));
  const source = value as Record<string, unknown>;
  const copy: Record<string, unknown> = {};
  for (const key of Object.keys(source).sort()) {
    // Set like the others it would not become a member.
    if (key === '__proto__')
      Object.defineProperty(copy, key, { value: sorted(source[key]), enumerable: true });
    else copy[key] = sorted(source[key]);
  }
  return copy;
}

/** Whether two values are the same JSON, whatever the order of their keys. */
export function sameJson(one: unknown, other: unknown): boolean {
  const [first, second] = [JSON.stringify(one), JSON.stringify(other)];
  // The order of keys changes no length, which spares most of those that differ the sorting.
  return (
    first === second || (first?.length === second?.length && canonicalJson(one) === canonicalJson(other))
  );
}

/** `sha256:<hex>` of a JSON value, whatever the order of its keys. */
export function digestOf(value: unknown): string {
  return sha256(canonicalJson(value));
}
