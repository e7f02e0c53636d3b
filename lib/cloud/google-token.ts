import type { Http } from '../http.ts';
import { fieldOf } from './registry-login.ts';

/** Workload identity federation, as the file of `gcloud iam workload-identity-pools create-cred-config` says. */
export interface GoogleFederation {
  audience: string;
  subjectTokenType: string;
  /** Exchanges the token for one of Google. */
  tokenUrl: string;
  /** Exchanges that one for one of a service account. */
  impersonationUrl?: string | undefined;
  subjectToken(): Promise<string>;
}

const METADATA = 'http://169.254.169.254/computeMetadata/v1/instance/service-accounts/default/token';
const SCOPE = 'https://www.googleapis.com/auth/cloud-platform';
/** The hosts that tokens are shown to. */
const HOST = /^(sts|iamcredentials)\.googleapis\.com$/;

/**
 * An access token of Google Cloud: of the identity in a file, or else of the machine.
 * @param metadata reaches the metadata service of the machine
 * @throws Error
 * @see https://cloud.google.com/compute/docs/access/authenticate-workloads
 * @see https://cloud.google.com/iam/docs/reference/sts/rest/v1/TopLevel/token
 */
export async function googleToken(
  { http, metadata }: { http: Http; metadata: Http },
  federation: GoogleFederation | undefined,
  signal: AbortSignal,
): Promise<string> {
  if (!federation) {
    const answer = await metadata.request({
      url: METADATA,
      headers: { 'metadata-flavor': 'Google' },
      signal,
    });
    if (answer.status !== 200)
      throw new Error(
        `the metadata service of Google answered ${answer.status}: this machine has no service account to use`,
      );
    return fieldOf(answer.text(), 'access_token', 'the metadata service of Google');
  }
  const subject = await federation.subjectToken();
  const exchange = await http.request({
    method: 'POST',
    url: googleUrl(federation.tokenUrl),
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    body: new URLSearchParams({
      grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
      audience: federation.audience,
      scope: SCOPE,
      requested_token_type: 'urn:ietf:params:oauth:token-type:access_token',
      subject_token: subject,
      subject_token_type: federation.subjectTokenType,
    }).toString(),
    secrets: [subject],
    signal,
  });
  if (exchange.status !== 200)
    throw new Error(
      `sts.googleapis.com answered ${exchange.status}: it does not accept the workload identity`,
    );
  const token = fieldOf(exchange.text(), 'access_token', 'sts.googleapis.com');
  if (federation.impersonationUrl === undefined) return token;
  const answer = await http.request({
    method: 'POST',
    url: googleUrl(federation.impersonationUrl),
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: JSON.stringify({ scope: [SCOPE] }),
    signal,
  });
  if (answer.status !== 200)
    throw new Error(
      `iamcredentials.googleapis.com answered ${answer.status}: the identity may not act as the service account`,
    );
  return fieldOf(answer.text(), 'accessToken', 'iamcredentials.googleapis.com');
}

function googleUrl(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url?.protocol === 'https:' && HOST.test(url.host)) return url;
  throw new Error(
    "the credentials of Google Cloud name an address that is not Google's; nothing was sent there",
  );
}
