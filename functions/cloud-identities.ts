import { readFile } from 'node:fs/promises';
import process from 'node:process';
import type { AwsApi } from '../lib/cloud/aws-api.ts';
import { AWS_SUBJECT_TYPE, awsSubjectForEntra, awsSubjectForGoogle } from '../lib/cloud/aws-subject.ts';
import type { AzureIdentity } from '../lib/cloud/azure-token.ts';
import type { GoogleFederation, TokenTools } from '../lib/cloud/google-token.ts';
import type { FleetCluster } from '../lib/fleet/cluster.ts';
import { createHttp, type Http } from '../lib/http.ts';
import { createNetworkPolicy } from '../lib/network.ts';

/** What tokens of clouds are asked for with, and what is closed when that is over. */
export function openTokenTools(http: Http, now: () => number): TokenTools & Pick<Http, 'close'> {
  // The only one that may reach it; nothing that a user writes comes to its requests.
  const policy = createNetworkPolicy({ allow: ['169.254.169.254/32'] });
  const metadata = createHttp({ policy, timeoutMs: 5_000, maxBytes: 64 * 1024, userAgent: 'slipway' });
  return { http, metadata, now, close: () => metadata.close() };
}

const ENTRA = 'https://login.microsoftonline.com/';

/** The AWS identity of this process, as Entra ID trusts it. */
export function azureFromAws(
  { tenant, client }: NonNullable<NonNullable<FleetCluster['aks']>['awsFederation']>,
  aws: () => Promise<AwsApi>,
): AzureIdentity {
  return {
    clientId: client,
    federated: {
      tenantId: tenant,
      authority: process.env.AZURE_AUTHORITY_HOST ?? ENTRA,
      assertion: async () => awsSubjectForEntra(await aws()),
    },
  };
}

/** The AWS identity of this process, as a workload identity pool of Google trusts it. */
export function googleFromAws(
  { provider, serviceAccount }: NonNullable<NonNullable<FleetCluster['gke']>['awsFederation']>,
  aws: () => Promise<AwsApi>,
): GoogleFederation {
  const audience = `//iam.googleapis.com/${provider}`;
  return {
    audience,
    subjectTokenType: AWS_SUBJECT_TYPE,
    tokenUrl: 'https://sts.googleapis.com/v1/token',
    impersonationUrl:
      serviceAccount === undefined
        ? undefined
        : `https://iamcredentials.googleapis.com/v1/projects/-/serviceAccounts/${encodeURIComponent(serviceAccount)}:generateAccessToken`,
    subjectToken: async () => awsSubjectForGoogle(await aws(), audience),
  };
}

/** The identity that the environment names. https://azure.github.io/azure-workload-identity/docs/quick-start.html */
export function azureIdentity(): AzureIdentity {
  const { AZURE_CLIENT_ID, AZURE_TENANT_ID, AZURE_AUTHORITY_HOST, AZURE_FEDERATED_TOKEN_FILE } = process.env;
  if (!AZURE_FEDERATED_TOKEN_FILE || !AZURE_TENANT_ID) return { clientId: AZURE_CLIENT_ID };
  return {
    clientId: AZURE_CLIENT_ID,
    federated: {
      tenantId: AZURE_TENANT_ID,
      authority: AZURE_AUTHORITY_HOST ?? ENTRA,
      assertion: async () => (await readFile(AZURE_FEDERATED_TOKEN_FILE, 'utf8')).trim(),
    },
  };
}

/**
 * The identity that the environment names; undefined: that of the machine.
 * @throws Error for a file of another type: keys of service accounts are long-lived, a Secret is the place for them
 */
export async function googleFederation(aws: () => Promise<AwsApi>): Promise<GoogleFederation | undefined> {
  const { GOOGLE_APPLICATION_CREDENTIALS } = process.env;
  if (!GOOGLE_APPLICATION_CREDENTIALS) return undefined;
  const read = JSON.parse(await readFile(GOOGLE_APPLICATION_CREDENTIALS, 'utf8')) as {
    type?: string;
    audience?: string;
    subject_token_type?: string;
    token_url?: string;
    service_account_impersonation_url?: string;
    credential_source?: {
      file?: string;
      format?: { type?: string; subject_token_field_name?: string };
      environment_id?: string;
    };
  };
  const { file, format, environment_id: environment } = read.credential_source ?? {};
  if (read.type !== 'external_account' || !(file || environment === 'aws1'))
    throw new Error(
      'GOOGLE_APPLICATION_CREDENTIALS must name a file of type external_account whose token is in a file, or that is made for AWS',
    );
  const audience = read.audience ?? '';
  return {
    audience,
    subjectTokenType: read.subject_token_type ?? '',
    tokenUrl: read.token_url ?? '',
    impersonationUrl: read.service_account_impersonation_url,
    async subjectToken() {
      if (!file) return awsSubjectForGoogle(await aws(), audience);
      const text = (await readFile(file, 'utf8')).trim();
      if (format?.type !== 'json') return text;
      return (JSON.parse(text) as Record<string, string>)[format.subject_token_field_name ?? ''] ?? '';
    },
  };
}
