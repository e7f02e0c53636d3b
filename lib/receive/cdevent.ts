import * as s from './shape.ts';

/** https://www.rfc-editor.org/rfc/rfc3339#section-5.6 */
const TIMESTAMP = /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d)$/;

/** What every CDEvent has. https://github.com/cdevents/spec/blob/main/spec.md */
export const CdEvent = s.object({
  context: s
    .object({
      /** Up to version 0.4 of the specification. */
      version: s.string().min(1).optional(),
      /** From version 0.5 on. */
      specversion: s.string().min(1).optional(),
      id: s.string().min(1),
      source: s.string().min(1),
      type: s.string().regex(/^dev\.(cdevents|cdeventsx)\.[A-Za-z0-9._-]+$/),
      timestamp: s.string().regex(TIMESTAMP),
    })
    .refine(({ version, specversion }) => version !== undefined || specversion !== undefined),
  subject: s.object({ id: s.string().min(1), content: s.record() }),
});

/** Whether an event tells of an artifact that can be pulled now. */
export function isArtifactEvent(type: string): boolean {
  return /^dev\.cdevents\.artifact\.(packaged|published)\./.test(type);
}

/** The type of an event without its version: `dev.cdevents.change.merged`. */
export function withoutVersion(type: string): string {
  return type.replace(/\.\d+\.\d+\.\d+([-+].*)?$/, '');
}
