import * as v from 'valibot';

/** Any object of JSON. Valibot's own `record` and `object` take lists as well. */
export const JsonObject = v.custom<Record<string, unknown>>(
  (value) => typeof value === 'object' && value !== null && !Array.isArray(value),
);

/** An object of JSON with certain members; others are left out of what is read. */
export function jsonObject<const E extends v.ObjectEntries>(entries: E) {
  return v.pipe(JsonObject, v.object(entries));
}
