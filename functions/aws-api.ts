import process from 'node:process';
import { defaultProvider } from '@aws-sdk/credential-provider-node';
import { type AwsApi, createAwsApi } from '../lib/cloud/aws-api.ts';

/**
 * Calls to AWS with the credentials that this process has, found as AWS's own tools find them.
 * @param given the region, if it is known
 */
export function openAwsApi(given?: string): AwsApi {
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
