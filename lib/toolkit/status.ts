import * as z from 'zod';
import { Int64, StringMap, Time } from './fields.ts';

/**
 * Parts of `status` that the kinds share. Status is written by whoever reconciled last, perhaps a newer Flux, so fields that are
 * not known here are kept instead of refused.
 */
export const Condition = z
  .looseObject({
    type: z
      .string()
      .max(316)
      .regex(
        /^([a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*\/)?(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])$/,
      )
      .describe('What the condition is about, such as Ready.'),
    status: z.enum(['True', 'False', 'Unknown']).describe('Whether the condition holds.'),
    observedGeneration: z
      .int()
      .min(0)
      .describe('The generation of the object that the condition speaks of.')
      .meta({ format: 'int64' })
      .exactOptional(),
    lastTransitionTime: Time.describe('When the status of the condition changed last.'),
    reason: z
      .string()
      .min(1)
      .max(1024)
      .regex(/^[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?$/)
      .describe('Why the condition changed last, in one CamelCase word.'),
    message: z.string().max(32_768).describe('Why the condition changed last, for people.'),
  })
  .describe('One aspect of the state of the object.');

export const ArtifactStatus = z
  .looseObject({
    path: z.string().describe('Where the artifact storage keeps the tree.'),
    url: z.string().describe('Address of the artifact; only the one who reconciles can open it.'),
    revision: z.string().describe('What was fetched, such as main@sha1:<commit>.'),
    digest: z
      .string()
      .regex(/^[a-z0-9]+(?:[.+_-][a-z0-9]+)*:[a-zA-Z0-9=_-]+$/)
      .describe('Checksum of the archive, as <algorithm>:<checksum>.'),
    lastUpdateTime: Time.describe('When the artifact was stored.'),
    size: Int64.describe('Size of the archive in bytes.').exactOptional(),
    metadata: StringMap.describe(
      'What the origin says of the tree, such as OCI annotations.',
    ).exactOptional(),
  })
  .describe('A fetched tree.');

/** The shared fields of every Toolkit status. */
export const commonStatus = {
  observedGeneration: Int64.describe(
    'The generation of the object that was reconciled last.',
  ).exactOptional(),
  conditions: z.array(Condition).describe('The state of the object.').exactOptional(),
  lastHandledReconcileAt: z
    .string()
    .describe('The value of the annotation reconcile.fluxcd.io/requestedAt that was handled last.')
    .exactOptional(),
};
