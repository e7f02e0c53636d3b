import process from 'node:process';
import type { AwsApi } from '../lib/cloud/aws-api.ts';

/**
 * Calls to AWS with the credentials that this process has, found as AWS's own tools find them. Nothing of it is loaded before the first
 * call asks for it, since most installations need none.
 * @param region that of the installation, if the fleet file names it: its secrets are there, whatever this shell is set to
 */
export function lazyAwsApi(region?: string): () => Promise<AwsApi> {
  let opened: Promise<AwsApi> | undefined;
  return () => {
    opened ??= open(region);
    return opened;
  };
}

async function open(given: string | undefined): Promise<AwsApi> {
  const [{ createAwsApi }, { defaultProvider }] = await Promise.all([
    import('../lib/cloud/aws-api.ts'),
    import('@aws-sdk/credential-provider-node'),
  ]);
  const { AWS_REGION, AWS_DEFAULT_REGION } = process.env;
  return createAwsApi({
    credentials: defaultProvider(),
    region: given ?? AWS_REGION ?? AWS_DEFAULT_REGION,
    endpoint: endpointOf,
    now: Date.now,
  });
}

/** Names of services in `AWS_ENDPOINT_URL_…`, where they differ. https://docs.aws.amazon.com/sdkref/latest/guide/ss-endpoints-table.html */
const ENDPOINT_NAMES: Readonly<Record<string, string>> = { secretsmanager: 'SECRETS_MANAGER' };

function endpointOf(service: string): string | undefined {
  const name = ENDPOINT_NAMES[service] ?? service.toUpperCase();
  return process.env[`AWS_ENDPOINT_URL_${name}`] ?? process.env.AWS_ENDPOINT_URL;
}
