import * as z from 'zod';

/** What the Worker is told by its variables and secrets, beside the secrets that the fleet file refers to by `env:NAME`. */
const Variables = z.object({
  SLIPWAY_FLEET: z
    .string()
    .min(1)
    .describe(
      'The text of the fleet file; of it only providers, registries, network and storage.key are needed.',
    ),
  SLIPWAY_QUEUES: z
    .url({ protocol: /^https?$/ })
    .describe(
      'What the URLs of all queues begin with, such as https://sqs.eu-west-1.amazonaws.com/123456789012/slipway-prod-.',
    ),
  SLIPWAY_TABLE: z.string().min(1).describe('Name of the DynamoDB table.'),
  SLIPWAY_BUCKET: z
    .string()
    .min(1)
    .describe('Name of the S3 bucket, for large calls of Receivers with filters.'),
  AWS_REGION: z.string().min(1).describe('Region of the queues, the table and the bucket.'),
  AWS_ACCESS_KEY_ID: z.string().min(1).describe('Key of a user with the rights of the webhook function.'),
  AWS_SECRET_ACCESS_KEY: z.string().min(1).describe('Its secret.'),
  AWS_ENDPOINT_URL_DYNAMODB: z.url().optional().describe("DynamoDB's address, where it is not AWS's own."),
  AWS_ENDPOINT_URL_S3: z.url().optional().describe("S3's address, where it is not AWS's own."),
});
export type EdgeEnvironment = z.output<typeof Variables>;

/**
 * Reads the Worker's variables.
 * @throws Error naming every variable that is missing or wrong, and what it is for
 */
export function readEdgeEnvironment(variables: Readonly<Record<string, unknown>>): EdgeEnvironment {
  const result = Variables.safeParse(variables);
  if (result.success) return result.data;
  const faults = result.error.issues.map(({ path: [name], message }) => {
    const { description = '' } = Variables.shape[name as keyof typeof Variables.shape];
    return `${String(name)}: ${message}. ${description}`;
  });
  throw new Error(`the variables of this Worker are not complete:\n${faults.join('\n')}`);
}
