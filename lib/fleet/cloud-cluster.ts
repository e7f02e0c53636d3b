import * as z from 'zod';

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
