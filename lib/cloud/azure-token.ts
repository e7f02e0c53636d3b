import { messageOf } from '../core/errors.ts';
import type { TokenTools } from './google-token.ts';
import type { Lasting } from './kept.ts';
import { fieldOf, lifetimeOf } from './registry-login.ts';

/** Who we are to Microsoft Entra ID. */
export interface AzureIdentity {
  clientId?: string | undefined;
  /** Of a workload identity; without it, the managed identity of the machine is used. */
  federated?: { tenantId: string; authority: string; assertion(): Promise<string> } | undefined;
}

const METADATA = 'http://169.254.169.254/metadata/identity/oauth2/token';

/**
 * A token of Microsoft Entra ID.
 * @param resource what it is for: the URI or id of an application
 * @throws Error
 * @see https://learn.microsoft.com/entra/identity-platform/v2-oauth2-client-creds-grant-flow#third-case-access-token-request-with-a-federated-credential
 * @see https://learn.microsoft.com/entra/identity/managed-identities-azure-resources/how-to-use-vm-token
 */
export async function azureToken(
  { http, metadata, now }: TokenTools,
  { clientId, federated }: AzureIdentity,
  resource: string,
  signal: AbortSignal,
): Promise<Lasting<string>> {
  const asked = now();
  if (!federated) {
    const url = new URL(METADATA);
    url.searchParams.set('api-version', '2018-02-01');
    url.searchParams.set('resource', resource);
    if (clientId !== undefined) url.searchParams.set('client_id', clientId);
    const answer = await metadata
      .request({ url, headers: { metadata: 'true' }, signal })
      .catch((error: unknown) => {
        throw new Error(`this machine has no managed identity of Azure to use: ${messageOf(error)}`, {
          cause: error,
        });
      });
    if (answer.status !== 200)
      throw new Error(
        `the metadata service of Azure answered ${answer.status}: this machine has no managed identity to use`,
      );
    return {
      value: fieldOf(answer.text(), 'access_token', 'the metadata service of Azure'),
      expiresAt: asked + lifetimeOf(answer.text()),
    };
  }
  const { tenantId, authority } = federated;
  const assertion = await federated.assertion();
  const answer = await http.request({
    method: 'POST',
    url: new URL(`${encodeURIComponent(tenantId)}/oauth2/v2.0/token`, authority),
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    body: new URLSearchParams({
      grant_type: 'client_credentials',
      client_id: clientId ?? '',
      scope: `${resource}/.default`,
      client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
      client_assertion: assertion,
    }).toString(),
    secrets: [assertion],
    signal,
  });
  if (answer.status !== 200)
    throw new Error(`Microsoft Entra ID answered ${answer.status}: it does not accept the workload identity`);
  return {
    value: fieldOf(answer.text(), 'access_token', 'Microsoft Entra ID'),
    expiresAt: asked + lifetimeOf(answer.text()),
  };
}
