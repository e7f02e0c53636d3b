import { readFile } from 'node:fs/promises';
import process from 'node:process';
import { createAcr } from '../lib/cloud/acr.ts';
import { type AzureIdentity, azureToken } from '../lib/cloud/azure-token.ts';
import { createEcr } from '../lib/cloud/ecr.ts';
import { createGcr } from '../lib/cloud/gcr.ts';
import { type GoogleFederation, googleToken } from '../lib/cloud/google-token.ts';
import { createRegistryLogins, type RegistryLogins } from '../lib/cloud/registry-logins.ts';
import { createHttp, type Http } from '../lib/http.ts';
import { createNetworkPolicy } from '../lib/network.ts';
import { lazyAwsApi } from './open-aws-api.ts';

/** Logins of registries of clouds with the identity that this process has, found as the clouds' own tools find it. */
export function openRegistryLogins(http: Http): RegistryLogins & Pick<Http, 'close'> {
  // The only one that may reach it; nothing that a user writes comes to its requests.
  const policy = createNetworkPolicy({ allow: ['169.254.169.254/32'] });
  const metadata = createHttp({ policy, timeoutMs: 5_000, maxBytes: 64 * 1024, userAgent: 'slipway' });
  const both = { http, metadata };
  const clouds = {
    aws: createEcr(lazyAwsApi()),
    azure: createAcr(http, (signal) => azureToken(both, azureIdentity(), signal), Date.now),
    gcp: createGcr(async (signal) => googleToken(both, await googleFederation(), signal), Date.now),
  };
  return { ...createRegistryLogins(clouds, Date.now), close: () => metadata.close() };
}

/** https://azure.github.io/azure-workload-identity/docs/quick-start.html */
function azureIdentity(): AzureIdentity {
  const { AZURE_CLIENT_ID, AZURE_TENANT_ID, AZURE_AUTHORITY_HOST, AZURE_FEDERATED_TOKEN_FILE } = process.env;
  if (!AZURE_FEDERATED_TOKEN_FILE || !AZURE_TENANT_ID) return { clientId: AZURE_CLIENT_ID };
  return {
    clientId: AZURE_CLIENT_ID,
    federated: {
      tenantId: AZURE_TENANT_ID,
      authority: AZURE_AUTHORITY_HOST ?? 'https://login.microsoftonline.com/',
      assertion: async () => (await readFile(AZURE_FEDERATED_TOKEN_FILE, 'utf8')).trim(),
    },
  };
}

/** @throws Error for a file of another type: keys of service accounts are long-lived, a Secret is the place for them */
async function googleFederation(): Promise<GoogleFederation | undefined> {
  const { GOOGLE_APPLICATION_CREDENTIALS } = process.env;
  if (!GOOGLE_APPLICATION_CREDENTIALS) return undefined;
  const read = JSON.parse(await readFile(GOOGLE_APPLICATION_CREDENTIALS, 'utf8')) as {
    type?: string;
    audience?: string;
    subject_token_type?: string;
    token_url?: string;
    service_account_impersonation_url?: string;
    credential_source?: { file?: string; format?: { type?: string; subject_token_field_name?: string } };
  };
  const { file, format } = read.credential_source ?? {};
  if (read.type !== 'external_account' || !file)
    throw new Error(
      'GOOGLE_APPLICATION_CREDENTIALS must name a file of type external_account whose token is in a file',
    );
  return {
    audience: read.audience ?? '',
    subjectTokenType: read.subject_token_type ?? '',
    tokenUrl: read.token_url ?? '',
    impersonationUrl: read.service_account_impersonation_url,
    async subjectToken() {
      const text = (await readFile(file, 'utf8')).trim();
      if (format?.type !== 'json') return text;
      return (JSON.parse(text) as Record<string, string>)[format.subject_token_field_name ?? ''] ?? '';
    },
  };
}
