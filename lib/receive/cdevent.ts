import * as z from 'zod';

/** What every CDEvent has. https://github.com/cdevents/spec/blob/main/spec.md */
export const CdEvent = z.object({
  context: z
    .object({
      /** Up to version 0.4 of the specification. */
      version: z.string().min(1).optional(),
      /** From version 0.5 on. */
      specversion: z.string().min(1).optional(),
      id: z.string().min(1),
      source: z.string().min(1),
      type: z.string().regex(/^dev\.(cdevents|cdeventsx)\.[A-Za-z0-9._-]+$/),
      timestamp: z.iso.datetime({ offset: true }),
    })
    .refine(({ version, specversion }) => version !== undefined || specversion !== undefined),
  subject: z.object({ id: z.string().min(1), content: z.record(z.string(), z.unknown()) }),
});

/** Whether an event tells of an artifact that can be pulled now. */
export function isArtifactEvent(type: string): boolean {
  return /^dev\.cdevents\.artifact\.(packaged|published)\./.test(type);
}

/** The type of an event without its version: `dev.cdevents.change.merged`. */
export function withoutVersion(type: string): string {
  return type.replace(/\.\d+\.\d+\.\d+([-+].*)?$/, '');
}
