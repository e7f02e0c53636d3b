/**
 * JSON values as CEL takes them: whole numbers become integers (BigInt), the rest of JSON stays what it is. CEL keeps
 * integers and doubles apart, JSON does not.
 * @see https://github.com/google/cel-spec/blob/master/doc/langdef.md#json-data-conversion
 */
export function toCel(value: unknown): unknown {
  if (typeof value === 'number') return Number.isSafeInteger(value) ? BigInt(value) : value;
  if (value === null || typeof value !== 'object') return value;
  if (Array.isArray(value)) return value.map(toCel);
  // A map without a prototype: `constructor` and `__proto__` are keys like others.
  const result: Record<string, unknown> = Object.create(null) as Record<string, unknown>;
  for (const [key, member] of Object.entries(value)) result[key] = toCel(member);
  return result;
}
