import * as z from 'zod';
import { Int64, StringMap, Time } from './fields.ts';
import { commonStatus } from './status.ts';

const Inventory = z.looseObject({
  entries: z
    .array(
      z
        .looseObject({
          id: z.string().describe('<namespace>_<name>_<group>_<kind> of the object.'),
          v: z.string().describe('API version the object was applied in, without the group.'),
        })
        .describe('An applied object.'),
    )
    .describe('The applied objects.'),
});

const Snapshot = z
  .looseObject({
    digest: z.string().describe('Checksum of what was built.'),
    firstReconciled: Time.describe('When it was applied first.'),
    lastReconciled: Time.describe('When it was applied last.'),
    lastReconciledDuration: z.string().describe('How long the last run took.'),
    lastReconciledStatus: z.string().describe('How the last run ended.'),
    totalReconciliations: Int64.describe('How often it was applied.'),
    metadata: StringMap.describe('More about the snapshot, such as its revision.').exactOptional(),
  })
  .describe('What was applied, and how it went.');

/** `status` of a Kustomization. */
export const KustomizationStatus = z
  .looseObject({
    ...commonStatus,
    lastAppliedRevision: z.string().describe('The revision of the source applied last.').exactOptional(),
    lastAppliedOriginRevision: z
      .string()
      .describe('The revision of the origin applied last, such as the Git commit behind an OCI artifact.')
      .exactOptional(),
    lastAttemptedRevision: z.string().describe('The revision of the source tried last.').exactOptional(),
    inventory: Inventory.describe(
      'The objects that this Kustomization has applied and may delete.',
    ).exactOptional(),
    history: z.array(Snapshot).describe('The last runs, newest first.').exactOptional(),
  })
  .describe('What was observed.');
export type KustomizationStatus = z.infer<typeof KustomizationStatus>;
