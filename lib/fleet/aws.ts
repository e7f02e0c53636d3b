import * as z from 'zod';
import { Name } from './fields.ts';

/** Where Slipway runs on AWS: what `slipway deploy` makes, and where the operator's commands find it. */
export const FleetAws = z
  .strictObject({
    name: Name.max(20).default('slipway').describe('Begins the name of everything that is deployed.'),
    stage: Name.max(20).default('prod').describe('Tells several installations in one account apart.'),
    region: z
      .string()
      .regex(/^[a-z]{2}(-[a-z]+)+-\d$/, { error: 'must be a region such as eu-west-1' })
      .describe('The region.'),
    image: z
      .string()
      .regex(/^[^@\s]+@sha256:[0-9a-f]{64}$/, {
        error: 'must name the image by its digest: REPOSITORY@sha256:DIGEST',
      })
      .describe('The container image of the workers in ECR, by its digest.')
      .exactOptional(),
    tags: z
      .record(z.string().min(1).max(128), z.string().max(256))
      .default({})
      .describe('Tags of everything that is deployed.'),
    alarmEmail: z.email().describe('Where alarms are sent.').exactOptional(),
    tracing: z.boolean().default(false).describe('Trace the functions with X-Ray.'),
    logRetentionDays: z
      .literal([1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731])
      .default(30)
      .describe('How long logs are kept.'),
    reservedConcurrency: z
      .int()
      .min(0)
      .max(1000)
      .default(20)
      .describe('Webhooks that are handled at the same time; 0 when the account has too few to reserve any.'),
    requestsPerSecond: z
      .int()
      .min(1)
      .max(10_000)
      .default(50)
      .describe('Requests that are let in per second.'),
    kmsKeys: z
      .array(z.string().regex(/^arn:[^:]+:kms:[^:]+:\d{12}:key\/\S+$/, { error: 'must be the ARN of a key' }))
      .default([])
      .describe('Keys of your own that secrets are encrypted with.'),
  })
  .describe('Where Slipway runs on AWS.');
export type FleetAws = z.output<typeof FleetAws>;

/** The worker of one cluster on AWS. */
export const ClusterAws = z
  .strictObject({
    subnets: z
      .array(z.string().regex(/^subnet-[0-9a-f]+$/, { error: 'must be the id of a subnet' }))
      .min(1)
      .max(16)
      .describe('Subnets from which a private cluster is reached.')
      .exactOptional(),
    securityGroups: z
      .array(z.string().regex(/^sg-[0-9a-f]+$/, { error: 'must be the id of a security group' }))
      .min(1)
      .max(5)
      .describe('Security groups of its worker.')
      .exactOptional(),
    memory: z.int().min(512).max(10_240).default(2048).describe('Memory of its worker in MiB.'),
    storage: z
      .int()
      .min(512)
      .max(10_240)
      .default(2048)
      .describe('Temporary storage of its worker in MiB, for clones.'),
    worker: z
      .array(z.string().regex(/^arn:[^:]+:iam::\d{12}:\S+$/, { error: 'must be the ARN of a role or user' }))
      .min(1)
      .describe('Who may run "slipway worker" for it elsewhere, in place of a function: roles or users.')
      .exactOptional(),
  })
  .superRefine(({ subnets, securityGroups }, context) => {
    if ((subnets === undefined) !== (securityGroups === undefined))
      context.addIssue({
        code: 'custom',
        path: [subnets === undefined ? 'subnets' : 'securityGroups'],
        message: 'must be given too: a worker in a network needs subnets and security groups',
      });
  })
  .describe('Its worker on AWS.');
export type ClusterAws = z.output<typeof ClusterAws>;
