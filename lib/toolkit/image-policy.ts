import * as z from 'zod';
import { parseDuration } from '../core/duration.ts';
import { Duration, Metadata, NamespacedReference } from './fields.ts';
import { ImageRef } from './image-ref.ts';
import { commonStatus } from './status.ts';

const Order = z
  .enum(['asc', 'desc'])
  .default('asc')
  .describe('Which end is the newest: the last in ascending (asc) or in descending order (desc).');

const Choice = z
  .strictObject({
    semver: z
      .strictObject({
        range: z.string().describe('Range of versions, such as 1.x or >=1.2.0 <2.0.0.'),
      })
      .describe('The highest version within a range.')
      .exactOptional(),
    alphabetical: z.strictObject({ order: Order }).describe('The last tag by its letters.').exactOptional(),
    numerical: z
      .strictObject({ order: Order })
      .describe('The last tag by its value as a number.')
      .exactOptional(),
  })
  .describe('How the newest tag is found; exactly one of its fields.');

const TagFilter = z
  .strictObject({
    pattern: z
      .string()
      .describe('Regular expression (RE2); tags that it does not match are left out.')
      .exactOptional(),
    extract: z
      .string()
      .describe('What of a tag is ordered, such as $ts for (?P<ts>[0-9]+) in pattern; by default all of it.')
      .exactOptional(),
  })
  .describe('Which tags are looked at, and what of them.');

const Spec = z
  .strictObject({
    imageRepositoryRef: NamespacedReference.describe('The ImageRepository with the tags.'),
    policy: Choice,
    filterTags: TagFilter.exactOptional(),
    digestReflectionPolicy: z
      .enum(['Always', 'IfNotPresent', 'Never'])
      .default('Never')
      .describe(
        'Whether status.latestRef tells the digest: never, as it was when the tag was chosen first (IfNotPresent), or as it is (Always, looked at every interval).',
      ),
    interval: Duration.describe(
      'How often the digest is looked at; needed with digestReflectionPolicy Always, and only allowed there.',
    ).exactOptional(),
    suspend: z.boolean().describe('Leave the policy alone until this is removed.').exactOptional(),
  })
  .refine(
    ({ interval, digestReflectionPolicy }) => interval === undefined || digestReflectionPolicy === 'Always',
    {
      path: ['interval'],
      error: "is only accepted when digestReflectionPolicy is 'Always'",
    },
  )
  .refine(
    ({ interval, digestReflectionPolicy }) => interval !== undefined || digestReflectionPolicy !== 'Always',
    {
      path: ['interval'],
      error: "must be set when digestReflectionPolicy is 'Always'",
    },
  )
  .meta({
    description: 'Whose tags, and which of them is the newest.',
    'x-kubernetes-validations': [
      {
        rule: "!has(self.interval) || (has(self.digestReflectionPolicy) && self.digestReflectionPolicy == 'Always')",
        message: "spec.interval is only accepted when spec.digestReflectionPolicy is set to 'Always'",
      },
      {
        rule: "has(self.interval) || !has(self.digestReflectionPolicy) || self.digestReflectionPolicy != 'Always'",
        message: "spec.interval must be set when spec.digestReflectionPolicy is set to 'Always'",
      },
    ],
  });

const Status = z
  .looseObject({
    ...commonStatus,
    latestRef: ImageRef.describe('The image that was chosen.').exactOptional(),
    observedPreviousRef: ImageRef.describe('The image that was chosen before it.').exactOptional(),
  })
  .describe('What was observed.');

/** How the newest tag of an image is found. https://fluxcd.io/flux/components/image/imagepolicies/ */
export const ImagePolicy = z
  .strictObject({
    apiVersion: z.literal('image.toolkit.fluxcd.io/v1'),
    kind: z.literal('ImagePolicy'),
    metadata: Metadata,
    spec: Spec,
    status: Status.exactOptional(),
  })
  .describe('Which tag of an image is the newest.');
export type ImagePolicy = z.infer<typeof ImagePolicy>;

/** How often the digest of the chosen tag is looked at, in ms; undefined where nothing is to be looked at. */
export function digestIntervalOf(policy: ImagePolicy): number | undefined {
  const { interval } = policy.spec;
  return interval === undefined ? undefined : parseDuration(interval);
}
