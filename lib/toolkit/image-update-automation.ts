import * as z from 'zod';
import { Duration, LabelSelector, LocalReference, Metadata, StringMap, Time } from './fields.ts';
import { GitReference } from './git-repository.ts';
import { ImageRef } from './image-ref.ts';
import { commonStatus } from './status.ts';

const SourceReference = z
  .strictObject({
    apiVersion: z.string().describe('API version of the source.').exactOptional(),
    kind: z.enum(['GitRepository']).default('GitRepository').describe('Kind of the source.'),
    name: z.string().describe('Name of the source.'),
    namespace: z.string().describe('Namespace of the source; the own one by default.').exactOptional(),
  })
  .describe('The repository to change.')
  .meta({ required: ['kind', 'name'] });

const SigningKey = z.strictObject({
  secretRef: LocalReference.describe(
    'Secret with the key: git.asc and passphrase for gpg, identity and password for ssh.',
  ),
  type: z.enum(['gpg', 'ssh']).describe('What kind of key it is; gpg by default.').exactOptional(),
});

const Commit = z
  .strictObject({
    author: z
      .strictObject({
        name: z.string().describe('Name of the author.').exactOptional(),
        email: z.string().describe('Address of the author.'),
      })
      .describe('Who appears as the author of commits.'),
    signingKey: SigningKey.describe('The key that signs commits.').exactOptional(),
    messageTemplate: z
      .string()
      .describe('Template of the message; .Changed tells what was changed.')
      .exactOptional(),
    messageTemplateValues: StringMap.describe(
      'Further values for the template, under .Values.',
    ).exactOptional(),
  })
  .describe('What commits look like.');

const Push = z
  .strictObject({
    branch: z
      .string()
      .describe('Branch to push to, made from the one checked out when there is none; by default that one.')
      .exactOptional(),
    refspec: z.string().describe('Git refspec to push; with branch, both are pushed.').exactOptional(),
    options: StringMap.describe('Push options for the Git server.').exactOptional(),
  })
  .describe('Where commits are pushed.');

const Git = z
  .strictObject({
    checkout: z
      .strictObject({ ref: GitReference.describe('What to check out.') })
      .describe('Where to begin; by default what the source follows.')
      .exactOptional(),
    commit: Commit,
    push: Push.exactOptional(),
  })
  .describe('How the repository is read and written.');

const Update = z
  .strictObject({
    strategy: z
      .enum(['Setters'])
      .default('Setters')
      .describe('How files are changed: fields that are marked by a comment (Setters).'),
    path: z.string().describe('Directory with the files to change; by default all of them.').exactOptional(),
  })
  .describe('Which files are changed, and how.');

const Spec = z
  .strictObject({
    sourceRef: SourceReference,
    git: Git.exactOptional(),
    interval: Duration.describe(
      'How often the repository is compared with the policies. A new image is heeded at once.',
    ),
    policySelector: LabelSelector.describe(
      'Which policies of the namespace count; all by default.',
    ).exactOptional(),
    update: Update.default({ strategy: 'Setters' }),
    suspend: z.boolean().describe('Change nothing until this is removed.').exactOptional(),
  })
  .describe('What to change, where and how.');

const Status = z
  .looseObject({
    ...commonStatus,
    lastAutomationRunTime: Time.describe('When a run last came to its end.').exactOptional(),
    lastPushCommit: z.string().describe('The commit pushed last.').exactOptional(),
    lastPushTime: Time.describe('When it was pushed.').exactOptional(),
    observedPolicies: z
      .record(z.string(), ImageRef)
      .describe('The policies of the last run by name, with the image each had chosen.')
      .exactOptional(),
    observedSourceRevision: z
      .string()
      .describe('The revision of the source at the last run.')
      .exactOptional(),
  })
  .describe('What was observed.');

/** Writes chosen images into a repository. https://fluxcd.io/flux/components/image/imageupdateautomations/ */
export const ImageUpdateAutomation = z
  .strictObject({
    apiVersion: z.literal('image.toolkit.fluxcd.io/v1'),
    kind: z.literal('ImageUpdateAutomation'),
    metadata: Metadata,
    spec: Spec,
    status: Status.exactOptional(),
  })
  .describe('A repository in which marked fields follow image policies.');
export type ImageUpdateAutomation = z.infer<typeof ImageUpdateAutomation>;
