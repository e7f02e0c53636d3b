import { createHash } from 'node:crypto';

/** `sha256:<hex>` of bytes or text. */
export function sha256(data: string | Uint8Array): string {
  return `sha256:${createHash('sha256').update(data).digest('hex')}`;
}

/** Of Node 22 and later; not yet among TypeScript's types. https://github.com/tc39/proposal-json-parse-with-source */
const { isRawJSON } = JSON as unknown as { isRawJSON(value: unknown): boolean };

/** JSON with sorted keys: equal values give equal text. `undefined` members are left out, as in JSON. */
export function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_key, member: unknown) => {
    // Integers beyond 2^53 stand as `JSON.rawJSON`, which writes itself.
    if (member === null || typeof member !== 'object' || Array.isArray(member) || isRawJSON(member))
      return member;
    const source = member as Record<string, unknown>;
    return Object.fromEntries(
      Object.keys(source)
        .sort()
        .map((key) => [key, source[key]]),
    );
  });
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
