import * as z from 'zod';
import { parseDuration } from '../core/duration.ts';
import { Duration, LocalReference, Metadata, ShortDuration } from './fields.ts';
import { ArtifactStatus, commonStatus } from './status.ts';

/** What of a repository is followed or checked out. */
export const GitReference = z.strictObject({
  branch: z.string().describe('Branch to follow. Without any field of ref it is master.').exactOptional(),
  tag: z.string().describe('Tag to fetch; goes before branch.').exactOptional(),
  semver: z
    .string()
    .describe('Range of versions, the newest matching tag is fetched; goes before tag.')
    .exactOptional(),
  name: z
    .string()
    .describe(
      'Full name of any ref, such as refs/heads/main or refs/pull/420/head; goes before semver, tag and branch.',
    )
    .exactOptional(),
  commit: z
    .string()
    .describe(
      'Commit to fetch; goes before all others. With branch, the commit is looked for on that branch.',
    )
    .exactOptional(),
});

const Verification = z.strictObject({
  mode: z
    .enum(['head', 'HEAD', 'Tag', 'TagAndHEAD'])
    .default('HEAD')
    .describe(
      'Whose signature is checked: that of the commit (HEAD; head means the same), of the tag object, or of both.',
    ),
  secretRef: LocalReference.describe(
    'Secret with the public keys of trusted authors: OpenPGP keys under names ending in .asc, SSH keys under names ending in .sshpub.',
  ),
});

const Include = z
  .strictObject({
    repository: LocalReference.describe('The GitRepository to copy from, in the same namespace.'),
    fromPath: z.string().describe('Path to copy from; its root by default.').exactOptional(),
    toPath: z
      .string()
      .describe('Path to copy to; by default the name of the included GitRepository.')
      .exactOptional(),
  })
  .describe('Another GitRepository whose tree is copied into this one.');

const Spec = z
  .strictObject({
    url: z
      .string()
      .regex(/^(http|https|ssh):\/\/.*$/, { error: 'must be a URL with http, https or ssh' })
      .describe('URL of the repository, over HTTPS, HTTP or SSH.'),
    interval: Duration.describe(
      'How often the repository is checked for changes. A push webhook is heeded at once.',
    ),
    timeout: ShortDuration.default('60s').describe('Limit of time for a Git operation.'),
    ref: GitReference.describe('What to fetch; the branch master by default.').exactOptional(),
    secretRef: LocalReference.describe(
      'Secret with credentials: username and password, or bearerToken, for HTTPS; identity and known_hosts for SSH.',
    ).exactOptional(),
    provider: z
      .enum(['generic', 'aws', 'azure', 'github'])
      .describe(
        'How to authenticate: generic (the secret alone, the default), github (a GitHub App), azure or aws.',
      )
      .exactOptional(),
    serviceAccountName: z
      .string()
      .describe('ServiceAccount to authenticate with; only for the providers azure and aws.')
      .exactOptional(),
    verify: Verification.describe('Which signatures are demanded.').exactOptional(),
    proxySecretRef: LocalReference.describe(
      'Secret with the address and credentials of a proxy.',
    ).exactOptional(),
    ignore: z
      .string()
      .describe('Patterns of files to leave out, written like .gitignore; they replace the built-in ones.')
      .exactOptional(),
    suspend: z.boolean().describe('Leave the repository alone until this is removed.').exactOptional(),
    recurseSubmodules: z.boolean().describe('Fetch submodules too.').exactOptional(),
    include: z.array(Include).describe('Other GitRepositories to copy into this tree.').exactOptional(),
    sparseCheckout: z
      .array(z.string())
      .describe('Directories to fetch; all others are left out of the tree.')
      .exactOptional(),
  })
  .refine(
    ({ serviceAccountName, provider }) =>
      serviceAccountName === undefined || provider === 'azure' || provider === 'aws',
    { path: ['serviceAccountName'], error: "can only be set when provider is 'azure' or 'aws'" },
  )
  .meta({
    description: 'What to fetch, how and how often.',
    'x-kubernetes-validations': [
      {
        rule: "!has(self.serviceAccountName) || (has(self.provider) && (self.provider == 'azure' || self.provider == 'aws'))",
        message: "serviceAccountName can only be set when provider is 'azure' or 'aws'",
      },
    ],
  });

const Status = z
  .looseObject({
    ...commonStatus,
    artifact: ArtifactStatus.describe('The tree fetched last.').exactOptional(),
    includedArtifacts: z
      .array(ArtifactStatus)
      .describe('The trees copied into it, in the order of spec.include.')
      .exactOptional(),
    observedIgnore: z.string().describe('spec.ignore as it was when the artifact was made.').exactOptional(),
    observedRecurseSubmodules: z
      .boolean()
      .describe('spec.recurseSubmodules as it was when the artifact was made.')
      .exactOptional(),
    observedInclude: z
      .array(Include)
      .describe('spec.include as it was when the artifact was made.')
      .exactOptional(),
    observedSparseCheckout: z
      .array(z.string())
      .describe('spec.sparseCheckout as it was when the artifact was made.')
      .exactOptional(),
    sourceVerificationMode: z.string().describe('Whose signature was checked last.').exactOptional(),
  })
  .describe('What was observed.');

/** A Git repository to follow. https://fluxcd.io/flux/components/source/gitrepositories/ */
export const GitRepository = z
  .strictObject({
    apiVersion: z.literal('source.toolkit.fluxcd.io/v1'),
    kind: z.literal('GitRepository'),
    metadata: Metadata,
    spec: Spec,
    status: Status.exactOptional(),
  })
  .describe('A Git repository whose tree Kustomizations and other objects apply.');
export type GitRepository = z.infer<typeof GitRepository>;

/** The limit of a Git operation, in ms. */
export function gitTimeoutOf(repository: GitRepository): number {
  return parseDuration(repository.spec.timeout) ?? 60_000;
}
