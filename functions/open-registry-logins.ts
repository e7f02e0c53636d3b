import { createAcr } from '../lib/cloud/acr.ts';
import { azureToken } from '../lib/cloud/azure-token.ts';
import { createEcr } from '../lib/cloud/ecr.ts';
import { createGcr } from '../lib/cloud/gcr.ts';
import { googleToken } from '../lib/cloud/google-token.ts';
import { createRegistryLogins, type RegistryLogins } from '../lib/cloud/registry-logins.ts';
import type { Http } from '../lib/http.ts';
import { azureIdentity, googleFederation, openTokenTools } from './cloud-identities.ts';
import { lazyAwsApi } from './open-aws-api.ts';

/** What tokens of Entra ID for registries are for. */
const REGISTRIES = 'https://containerregistry.azure.net';

/** Logins of registries of clouds with the identity that this process has, found as the clouds' own tools find it. */
export function openRegistryLogins(http: Http): RegistryLogins & Pick<Http, 'close'> {
  const tools = openTokenTools(http, Date.now);
  const aws = lazyAwsApi();
  const clouds = {
    aws: createEcr(aws),
    azure: createAcr(
      http,
      async (signal) => (await azureToken(tools, azureIdentity(), REGISTRIES, signal)).value,
      Date.now,
    ),
    gcp: createGcr(
      async (signal) => (await googleToken(tools, await googleFederation(aws), signal)).value,
      Date.now,
    ),
  };
  return { ...createRegistryLogins(clouds, Date.now), close: tools.close };
}
