import { advise } from './aws-advice.ts';
import type { SecretScheme } from './scheme.ts';

/**
 * `ssm:/NAME`: a parameter of AWS Systems Manager, decrypted, by its name or ARN.
 * https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_GetParameter.html
 */
export const ssm: SecretScheme = {
  example: 'ssm:/NAME',
  async read(name, context) {
    const aws = await context.aws();
    const answer = await aws
      .call({
        service: 'ssm',
        region: /^arn:[^:]*:ssm:([^:]+):/.exec(name)?.[1],
        method: 'POST',
        headers: { 'content-type': 'application/x-amz-json-1.1', 'x-amz-target': 'AmazonSSM.GetParameter' },
        body: JSON.stringify({ Name: name, WithDecryption: true }),
      })
      .catch((error: unknown) => advise(error, 'ssm:GetParameter'));
    return (JSON.parse(answer) as { Parameter?: { Value?: string } }).Parameter?.Value ?? '';
  },
};
