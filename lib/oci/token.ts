import { DOCKER_HUB, type ImageName } from '../core/image-name.ts';
import type { Http, HttpResponse } from '../http.ts';
import { retryAfter } from '../retry-after.ts';
import type { Challenge } from './challenge.ts';
import { type CredentialEntry, credentialForHost, type RegistryCredential } from './docker-config.ts';
import { mayShowCredentials } from './realm.ts';
import { RegistryError } from './registry-error.ts';

/** What goes into the header `Authorization`, and until when it is good. */
export interface Authorization {
  header: string;
  /** Epoch in ms. */
  expiresAt: number;
}

/** What a token is asked for with. */
export interface TokenRequest {
  http: Http;
  registry: URL;
  image: ImageName;
  /** The credential for the image, and all entries: one for the token server's own host goes before it. */
  credential: RegistryCredential | undefined;
  entries: readonly CredentialEntry[];
  now: number;
  signal: AbortSignal;
}

const MAX_ANSWER = 256 * 1024;
const MAX_TOKEN = 64 * 1024;

/** A token is good for a minute when the server says nothing. https://distribution.github.io/distribution/spec/auth/token/ */
const DEFAULT_SECONDS = 60;
const MAX_SECONDS = 3_600;
/** So long before its end a token is replaced. */
const MARGIN_SECONDS = 15;

/**
 * Gets a bearer token for reading an image from the token server that a challenge names. What it is to be good for is said by us, never
 * by the challenge.
 * @throws RegistryError `refused` when credentials would have to be shown to a server that is not the registry's; `auth` when the server
 *   does not accept them
 */
export async function fetchToken(request: TokenRequest, challenge: Challenge): Promise<Authorization> {
  const { http, registry, image, signal } = request;
  const given = challenge.parameters.realm ?? '';
  const realm = URL.canParse(given) ? new URL(given) : undefined;
  if (!realm || !/^https?:$/.test(realm.protocol) || realm.username !== '' || realm.password !== '')
    throw new RegistryError('protocol', `${registry.host} names no valid token server`);
  const credential = credentialAt(request, realm);
  const scope = `repository:${image.repository}:pull`;
  const service = challenge.parameters.service ?? '';
  const secrets = credential === undefined ? [] : [secretOf(credential)];
  const common = { timeoutMs: 30_000, maxBytes: MAX_ANSWER, secrets, signal };
  let answer: HttpResponse;
  if (credential?.type === 'identity') {
    const body = new URLSearchParams({
      grant_type: 'refresh_token',
      refresh_token: credential.token,
      client_id: 'slipway',
      service,
      scope,
    });
    answer = await http.request({
      ...common,
      method: 'POST',
      url: realm,
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      body: body.toString(),
    });
  } else {
    const url = new URL(realm);
    if (service !== '') url.searchParams.set('service', service);
    url.searchParams.set('scope', scope);
    if (credential?.type === 'basic') url.searchParams.set('account', credential.username);
    answer = await http.request({ ...common, url, headers: headersOf(credential) });
  }
  return tokenOf(answer, realm, registry, request.now, secrets);
}

/** The value of `Authorization` for HTTP Basic. */
export function basicHeader({ username, password }: { username: string; password: string }): string {
  return `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
}

/** The part of a credential that must not be shown. */
export function secretOf(credential: RegistryCredential): string {
  return credential.type === 'basic' ? credential.password : credential.token;
}

/** Which credential the token server may see. Without any, an anonymous token is asked for, wherever that is given out. */
function credentialAt(
  { registry, credential, entries }: TokenRequest,
  realm: URL,
): RegistryCredential | undefined {
  if (credential === undefined || mayShowCredentials(registry, realm)) return credential;
  const own = realm.protocol === 'https:' ? credentialForHost(entries, realm.host) : undefined;
  if (own) return own;
  throw new RegistryError(
    'refused',
    `${nameOf(registry)} wants tokens to be fetched from ${realm.origin}, which is another host, so nothing was sent there; if it is ` +
      `right, add an entry for ${realm.host} with the credentials to the Secret`,
  );
}

function nameOf(registry: URL): string {
  return registry.host === DOCKER_HUB ? 'Docker Hub' : registry.host;
}

function headersOf(credential: RegistryCredential | undefined): Record<string, string> {
  return credential?.type === 'basic' ? { authorization: basicHeader(credential) } : {};
}

function tokenOf(
  answer: HttpResponse,
  realm: URL,
  registry: URL,
  now: number,
  secrets: readonly string[],
): Authorization {
  const { status } = answer;
  const where = `the token server ${realm.origin} of ${nameOf(registry)}`;
  if (status === 429 || status >= 500)
    throw new RegistryError(status === 429 ? 'rate-limited' : 'unavailable', `${where} answered ${status}`, {
      secrets,
      retryAfter: retryAfter(answer.headers, now),
    });
  if (status >= 300 && status < 400)
    throw new RegistryError('refused', `${where} redirects, which is not followed with credentials`, {
      secrets,
    });
  if (status !== 200)
    throw new RegistryError('auth', `${where} answered ${status}: the credentials are not accepted`, {
      secrets,
    });
  const body = parseBody(answer.text());
  const token = body.token ?? body.access_token;
  if (typeof token !== 'string' || token === '' || token.length > MAX_TOKEN || !/^[\x21-\x7e]+$/.test(token))
    throw new RegistryError('protocol', `${where} gave no token`, { secrets });
  const told = typeof body.expires_in === 'number' && body.expires_in > 0 ? body.expires_in : DEFAULT_SECONDS;
  const seconds = Math.max(0, Math.min(told, MAX_SECONDS) - MARGIN_SECONDS);
  return { header: `Bearer ${token}`, expiresAt: now + seconds * 1_000 };
}

function parseBody(text: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}
