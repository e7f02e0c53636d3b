import { advise } from './aws-advice.ts';
import type { SecretScheme } from './scheme.ts';

/**
 * `aws-sm:NAME`: the text of a secret in AWS Secrets Manager, by its name or ARN; `aws-sm:NAME#FIELD` one field of a secret that is a JSON
 * object. https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_GetSecretValue.html
 */
export const awsSm: SecretScheme = {
  example: 'aws-sm:NAME',
  async read(name, context) {
    const [id = '', field] = name.split(/#(.*)/s);
    const aws = await context.aws();
    const answer = await aws
      .call({
        service: 'secretsmanager',
        region: regionOf(id),
        method: 'POST',
        headers: {
          'content-type': 'application/x-amz-json-1.1',
          'x-amz-target': 'secretsmanager.GetSecretValue',
        },
        body: JSON.stringify({ SecretId: id }),
      })
      .catch((error: unknown) => advise(error, 'secretsmanager:GetSecretValue'));
    const { SecretString: text, SecretBinary: binary } = JSON.parse(answer) as {
      SecretString?: string;
      SecretBinary?: string;
    };
    const value = text ?? (binary === undefined ? '' : Buffer.from(binary, 'base64').toString('utf8'));
    return field === undefined ? value : fieldOf(value, field);
  },
};

/** An ARN names its region. */
function regionOf(id: string): string | undefined {
  return /^arn:[^:]*:secretsmanager:([^:]+):/.exec(id)?.[1];
}

function fieldOf(text: string, field: string): string {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    // The fault of the parser would quote the secret.
    throw new Error(`it is no JSON, so it has no field ${field}`);
  }
  const isObject = typeof value === 'object' && value !== null && Object.hasOwn(value, field);
  const found = isObject ? (value as Record<string, unknown>)[field] : undefined;
  if (typeof found !== 'string') throw new Error(`it has no field ${field} that is a text`);
  return found;
}
