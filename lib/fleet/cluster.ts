import * as z from 'zod';
import { CLOUDS } from '../cloud/registry-login.ts';
import { DURATION_PATTERN } from '../core/duration.ts';
import { SecretReference } from '../secrets/reference.ts';
import { ClusterAws } from './aws.ts';
import { Aks, Eks, Gke } from './cloud-cluster.ts';
import { Name } from './fields.ts';

/** The root source of a cluster and the directory in it that is applied. */
const Source = z
  .strictObject({
    url: z
      .string()
      .regex(/^(https?|ssh):\/\/[^\s/]/, { error: 'must be a URL with https, http or ssh' })
      .refine((url) => !/^https?:\/\/[^/\s]*@/.test(url), {
        error: 'must not hold credentials; put the token under providers',
      })
      .describe('URL of the fleet repository.'),
    branch: z.string().min(1).describe('Branch to follow; main by default.').exactOptional(),
    tag: z.string().min(1).describe('Tag to apply.').exactOptional(),
    semver: z
      .string()
      .min(1)
      .describe('Range of versions; the newest matching tag is applied.')
      .exactOptional(),
    name: z
      .string()
      .regex(/^refs\//, { error: 'must be a full ref such as refs/heads/main' })
      .describe('Full name of a ref.')
      .exactOptional(),
    commit: z
      .string()
      .regex(/^([0-9a-f]{40}|[0-9a-f]{64})$/, { error: 'must be a full commit hash' })
      .describe('Commit to apply.')
      .exactOptional(),
    interval: z
      .string()
      .regex(new RegExp(DURATION_PATTERN), { error: 'must be a duration such as 1m' })
      .default('1m')
      .describe('How often the repository is checked, should a webhook be missed.'),
    provider: Name.describe(
      'The provider whose credential fetches it; by default the one at the host of the URL.',
    ).exactOptional(),
    path: z.string().default('./').describe('Directory to apply in this cluster.'),
    prune: z.boolean().default(true).describe('Delete what is gone from the repository.'),
  })
  .superRefine((source, context) => {
    const given = (['tag', 'semver', 'name', 'branch'] as const).filter((key) => source[key] !== undefined);
    const refs =
      source.commit === undefined || given.join() === 'branch' ? given : [...given, 'commit' as const];
    const extra = refs[1];
    if (extra !== undefined)
      context.addIssue({
        code: 'custom',
        path: [extra],
        message: `cannot be given together with ${refs[0]}`,
      });
  });

/** What a kubeconfig may make this machine do. */
const Allow = z.strictObject({
  exec: z.boolean().default(false).describe('Run the command of an exec entry to get credentials.'),
  files: z.boolean().default(false).describe('Read certificates and tokens from the files it names.'),
  insecure: z.boolean().default(false).describe('Talk to the server without checking its certificate.'),
});

/** A cluster to deploy to. */
export const FleetCluster = z
  .strictObject({
    name: Name.describe('Name of the cluster, used in statuses and commands.'),
    kubeconfig: SecretReference.describe(
      'Where the kubeconfig is, such as file:PATH, or env:NAME of a variable that holds its text.',
    ).exactOptional(),
    eks: Eks.describe(
      'A cluster of Amazon EKS, in place of a kubeconfig: reached as the AWS identity of this process, with tokens made in it.',
    ).exactOptional(),
    gke: Gke.describe(
      'A cluster of Google Kubernetes Engine, in place of a kubeconfig: reached as the Google identity of this process, or by workload identity federation.',
    ).exactOptional(),
    aks: Aks.describe(
      'A cluster of Azure Kubernetes Service with Entra ID, in place of a kubeconfig: reached as the Azure identity of this process, or by workload identity federation.',
    ).exactOptional(),
    context: z
      .string()
      .min(1)
      .describe('Context of the kubeconfig; its current one by default.')
      .exactOptional(),
    source: Source.describe('The fleet repository and the directory of this cluster in it.'),
    defaultServiceAccount: z
      .string()
      .min(1)
      .describe('ServiceAccount to act as for Kustomizations that name none.')
      .exactOptional(),
    noCrossNamespaceRefs: z
      .boolean()
      .default(false)
      .describe('Refuse references of Toolkit objects to other namespaces.'),
    allowRemoteBases: z
      .boolean()
      .default(false)
      .describe('Let kustomizations fetch bases from other repositories.'),
    registryIdentities: z
      .array(z.enum(CLOUDS))
      .default([])
      .describe(
        'Clouds whose identity of this process opens registries for ImageRepositories with that spec.provider; whoever may write an ImageRepository in the cluster then sees what it may pull.',
      ),
    aws: ClusterAws.exactOptional(),
    allow: Allow.prefault({}).describe('What its kubeconfig may make this machine do.'),
  })
  .describe('A cluster to deploy to.');
export type FleetCluster = z.output<typeof FleetCluster>;
