import { messageOf } from '../core/errors.ts';
import type { Http } from '../http.ts';
import type { Lasting } from './kept.ts';
import { fieldOf, lifetimeOf } from './registry-login.ts';

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

/** What tokens are asked for with. */
export interface TokenTools {
  http: Http;
  /** Reaches the metadata service of the machine. */
  metadata: Http;
  /** Epoch in ms. */
  now(): number;
}

const METADATA = 'http://169.254.169.254/computeMetadata/v1/instance/service-accounts/default/token';
const SCOPE = 'https://www.googleapis.com/auth/cloud-platform';
/** The hosts that tokens are shown to. */
const HOST = /^(sts|iamcredentials)\.googleapis\.com$/;

/**
 * An access token of Google Cloud: of the identity in a file, or else of the machine.
 * @throws Error
 * @see https://cloud.google.com/compute/docs/access/authenticate-workloads
 * @see https://cloud.google.com/iam/docs/reference/sts/rest/v1/TopLevel/token
 */
export async function googleToken(
  { http, metadata, now }: TokenTools,
  federation: GoogleFederation | undefined,
  signal: AbortSignal,
): Promise<Lasting<string>> {
  const asked = now();
  if (!federation) {
    const answer = await metadata
      .request({ url: METADATA, headers: { 'metadata-flavor': 'Google' }, signal })
      .catch((error: unknown) => {
        throw new Error(`this machine has no service account of Google to use: ${messageOf(error)}`, {
          cause: error,
        });
      });
    if (answer.status !== 200)
      throw new Error(
        `the metadata service of Google answered ${answer.status}: this machine has no service account to use`,
      );
    return {
      value: fieldOf(answer.text(), 'access_token', 'the metadata service of Google'),
      expiresAt: asked + lifetimeOf(answer.text()),
    };
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
  if (federation.impersonationUrl === undefined)
    return { value: token, expiresAt: asked + lifetimeOf(exchange.text()) };
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
  const who = 'iamcredentials.googleapis.com';
  const expiresAt = Date.parse(fieldOf(answer.text(), 'expireTime', who));
  return { value: fieldOf(answer.text(), 'accessToken', who), expiresAt };
}

function googleUrl(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url?.protocol === 'https:' && HOST.test(url.host)) return url;
  throw new Error(
    "the credentials of Google Cloud name an address that is not Google's; nothing was sent there",
  );
}
