import type { AwsApi } from './aws-api.ts';
import { AwsError } from './aws-fault.ts';
import { askSts, STS_VERSION } from './sts.ts';

/** The type of what {@link awsSubjectForGoogle} makes. */
export const AWS_SUBJECT_TYPE = 'urn:ietf:params:aws:token-type:aws4_request';

/** What Entra ID wants in the audience of tokens from elsewhere. */
const ENTRA_AUDIENCE = 'api://AzureADTokenExchange';

/**
 * Proves to Google Cloud which AWS identity this process has: a call of `sts:GetCallerIdentity`, signed here and sent by Google. It is bound
 * to one provider of one pool by a signed header.
 * @param audience the full name of that provider
 * @see https://cloud.google.com/iam/docs/workload-identity-federation-with-other-clouds
 */
export async function awsSubjectForGoogle(aws: Pick<AwsApi, 'sign'>, audience: string): Promise<string> {
  const { url, method, headers } = await aws.sign({
    service: 'sts',
    method: 'POST',
    query: { Action: 'GetCallerIdentity', Version: STS_VERSION },
    headers: { 'x-goog-cloud-target-resource': audience },
  });
  const list = Object.entries(headers).map(([key, value]) => ({ key, value }));
  return encodeURIComponent(JSON.stringify({ url: url.href, method, headers: list }));
}

/**
 * Proves to Microsoft Entra ID which AWS identity this process has: a token of OpenID Connect that AWS signs, good for five minutes.
 * @throws Error saying what to switch on or to allow; AwsError
 * @see https://docs.aws.amazon.com/STS/latest/APIReference/API_GetWebIdentityToken.html
 */
export async function awsSubjectForEntra(aws: Pick<AwsApi, 'call'>): Promise<string> {
  const parameters = {
    'Audience.member.1': ENTRA_AUDIENCE,
    // Entra ID knows no other.
    SigningAlgorithm: 'RS256',
    DurationSeconds: '300',
  };
  const read = await askSts(aws, 'GetWebIdentityToken', parameters).catch((error: unknown) => {
    const code = error instanceof AwsError ? error.code : '';
    if (code.startsWith('OutboundWebIdentityFederationDisabled'))
      throw new Error(
        'AWS gives no tokens of OpenID Connect in this account; switch them on: aws iam enable-outbound-web-identity-federation',
        { cause: error },
      );
    if (code.startsWith('AccessDenied'))
      throw new Error(
        `the AWS identity of this process lacks the right sts:GetWebIdentityToken for the audience ${ENTRA_AUDIENCE}`,
        { cause: error },
      );
    throw error;
  });
  const token = read('WebIdentityToken');
  if (token === '') throw new Error('sts gave no token of OpenID Connect');
  return token;
}
