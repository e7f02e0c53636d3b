import * as z from 'zod';

/** Ways to reach a cluster by its name in a cloud. */
export const CLOUD_WAYS = ['eks', 'gke', 'aks'] as const;

/** One of them. */
export type CloudWay = (typeof CLOUD_WAYS)[number];

/** By which cloud a cluster is named; undefined: it has a kubeconfig. */
export function cloudWayOf(cluster: { readonly [way in CloudWay]?: unknown }): CloudWay | undefined {
  return CLOUD_WAYS.find((way) => cluster[way] !== undefined);
}

/** What an id of Azure looks like. */
const uuid = z.string().regex(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i, {
  error: 'must be an id such as 11111111-2222-3333-4444-555555555555',
});

/** A cluster of Amazon EKS. */
export const Eks = z
  .strictObject({
    name: z
      .string()
      .regex(/^[0-9A-Za-z][0-9A-Za-z_-]{0,99}$/, { error: 'must be the name of an EKS cluster' })
      .describe('Its name in EKS.'),
    region: z
      .string()
      .regex(/^[a-z]{2}(-[a-z]+)+-\d$/, { error: 'must be a region such as eu-west-1' })
      .describe('Its region; that of this process by default.')
      .exactOptional(),
    roleArn: z
      .string()
      .max(2048)
      .regex(/^arn:[^:*?\s]+:iam::\d{12}:role\/[\w+=,.@/-]+$/, {
        error: 'must be the ARN of a role such as arn:aws:iam::123456789012:role/deployer',
      })
      .describe('A role to assume first, such as one of the account that the cluster is in.')
      .exactOptional(),
    externalId: z
      .string()
      .regex(/^[\w+=,.@:/-]{2,1224}$/, {
        error: 'must have 2 to 1224 letters, digits and signs of _+=,.@:/-',
      })
      .describe('What the trust policy of roleArn asks for as sts:ExternalId.')
      .exactOptional(),
  })
  .superRefine(({ roleArn, externalId }, context) => {
    if (externalId !== undefined && roleArn === undefined)
      context.addIssue({
        code: 'custom',
        path: ['externalId'],
        message: 'is for roleArn, which is not given',
      });
  });

/** A cluster of Google Kubernetes Engine. */
export const Gke = z.strictObject({
  project: z
    .string()
    .regex(/^[a-z][a-z0-9.:-]{2,98}[a-z0-9]$/, { error: 'must be the id of a project such as acme-prod' })
    .describe('The id of its project.'),
  location: z
    .string()
    .regex(/^[a-z]+-[a-z]+\d+(-[a-z])?$/, {
      error: 'must be a region or zone such as europe-west1 or europe-west1-b',
    })
    .describe('Its region, or the zone of a zonal cluster.'),
  name: z
    .string()
    .regex(/^[a-z]([a-z0-9-]{0,61}[a-z0-9])?$/, { error: 'must be the name of a GKE cluster' })
    .describe('Its name in GKE.'),
  endpoint: z
    .enum(['private', 'dns'])
    .describe('Reach it at its private address or by its DNS name; at the address that GKE names by default.')
    .exactOptional(),
  awsFederation: z
    .strictObject({
      provider: z
        .string()
        .regex(
          /^projects\/\d+\/locations\/global\/workloadIdentityPools\/[a-z0-9-]+\/providers\/[a-z0-9-]+$/,
          {
            error:
              'must be the full name of a provider: projects/NUMBER/locations/global/workloadIdentityPools/POOL/providers/PROVIDER',
          },
        )
        .describe('The provider of a workload identity pool that trusts the AWS account, by its full name.'),
      serviceAccount: z
        .string()
        .regex(/^[a-z0-9-]+@[a-z0-9.-]+\.gserviceaccount\.com$/, {
          error: 'must be the address of a service account such as slipway@acme-prod.iam.gserviceaccount.com',
        })
        .describe('The service account to act as; by default the identity of the pool itself acts.')
        .exactOptional(),
    })
    .describe('Workload identity federation of the AWS identity of this process.')
    .exactOptional(),
});

/** A cluster of Azure Kubernetes Service. */
export const Aks = z.strictObject({
  subscription: uuid.describe('The id of its subscription.'),
  resourceGroup: z
    .string()
    .regex(/^[\w.()-]{0,89}[\w()-]$/, { error: 'must be the name of a resource group' })
    .describe('Its resource group.'),
  name: z
    .string()
    .regex(/^[0-9A-Za-z]([\w-]{0,61}[0-9A-Za-z])?$/, { error: 'must be the name of an AKS cluster' })
    .describe('Its name in AKS.'),
  publicName: z
    .boolean()
    .default(false)
    .describe('Reach a private cluster by its public name, which stands for the private address.'),
  awsFederation: z
    .strictObject({
      tenant: uuid.describe('The id of the tenant.'),
      client: uuid.describe('The client id of the application or managed identity to act as.'),
    })
    .describe('Workload identity federation of the AWS identity of this process.')
    .exactOptional(),
});
