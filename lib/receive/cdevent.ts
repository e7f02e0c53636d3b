import * as v from 'valibot';
import { NonEmptyString } from './fields.ts';
import { JsonObject, jsonObject } from './json-object.ts';

/**
 * A date-time of RFC 3339, by the days that its month has. Valibot's `isoTimestamp` is ISO 8601's, which allows other forms, and knows 31 days in all
 * months. https://www.rfc-editor.org/rfc/rfc3339#section-5.6
 */
const Timestamp = v.pipe(
  v.string(),
  v.regex(
    /^\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])T([01]\d|2[0-3]):[0-5]\d:[0-5]\d(\.\d+)?(Z|[+-]([01]\d|2[0-3]):[0-5]\d)$/,
  ),
  v.check(isDay),
);

/** What every CDEvent has. https://github.com/cdevents/spec/blob/main/spec.md */
export const CdEvent = jsonObject({
  context: v.pipe(
    jsonObject({
      /** Up to version 0.4 of the specification. */
      version: v.optional(NonEmptyString),
      /** From version 0.5 on. */
      specversion: v.optional(NonEmptyString),
      id: NonEmptyString,
      source: NonEmptyString,
      type: v.pipe(v.string(), v.regex(/^dev\.(cdevents|cdeventsx)\.[A-Za-z0-9._-]+$/)),
      timestamp: Timestamp,
    }),
    v.check(({ version, specversion }) => version !== undefined || specversion !== undefined),
  ),
  subject: jsonObject({ id: NonEmptyString, content: JsonObject }),
});

/** Whether an event tells of an artifact that can be pulled now. */
export function isArtifactEvent(type: string): boolean {
  return /^dev\.cdevents\.artifact\.(packaged|published)\./.test(type);
}

/** The type of an event without its version: `dev.cdevents.change.merged`. */
export function withoutVersion(type: string): string {
  return type.replace(/\.\d+\.\d+\.\d+([-+].*)?$/, '');
}

/** Whether the day that a timestamp begins with is in the calendar: a `Date` takes the 30th of February for a day of March. */
function isDay(timestamp: string): boolean {
  const day = timestamp.slice(0, 10);
  return new Date(day).toISOString().startsWith(day);
}
