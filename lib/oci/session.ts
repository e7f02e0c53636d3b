import type { LRUCache } from 'lru-cache';
import { digestOf } from '../core/digest.ts';
import { formatImageName, type ImageName } from '../core/image-name.ts';
import type { Http, HttpResponse } from '../http.ts';
import { HttpError } from '../http-error.ts';
import { retryAfter } from '../retry-after.ts';
import { parseChallenges } from './challenge.ts';
import { type CredentialEntry, credentialFor, type RegistryCredential } from './docker-config.ts';
import { RegistryError } from './registry-error.ts';
import { type Authorization, basicHeader, fetchToken, secretOf } from './token.ts';

/** What sessions of one process share, so that the second look at a registry costs one request. */
export interface SharedState {
  /** By registry, image and credential. */
  authorizations: LRUCache<string, Authorization>;
  /** Until when a registry does not want to be asked, as epoch in ms, by registry and credential. */
  pauses: LRUCache<string, number>;
  /** Whether a registry that may be spoken to without TLS has it, by host. */
  schemes: LRUCache<string, 'https' | 'http'>;
}

/** What a session is opened with. */
export interface SessionOptions {
  http: Http;
  image: ImageName;
  credentials: readonly CredentialEntry[];
  /** Whether the registry may be spoken to without TLS, where it has none. */
  insecure: boolean;
  shared: SharedState;
  /** Epoch in ms. */
  now(): number;
  signal: AbortSignal;
}

/** A request to a registry. */
export interface RegistryRequest {
  method?: 'GET' | 'HEAD';
  /** Path below `/v2/<repository>/`, or the URL of another page. */
  target: string | URL;
  headers?: Readonly<Record<string, string>>;
  /** Limit of the answer's body. */
  maxBytes: number;
}

const ABOUT_TLS =
  /certificate|self.signed|UNABLE_TO_VERIFY|altname|wrong version number|packet length too long/i;

/** So long a registry that said no more than 429 is left alone, in ms. */
const DEFAULT_PAUSE_MS = 30_000;

/**
 * Speaks with one registry about one image. It proves who we are in the way the registry asks for, once, and shows the credential to
 * nobody else: redirects to other hosts are followed without it.
 */
export class RegistrySession {
  readonly image: ImageName;
  readonly #options: SessionOptions;
  readonly #credential: RegistryCredential | undefined;
  readonly #key: string;

  constructor(options: SessionOptions) {
    this.#options = options;
    this.image = options.image;
    this.#credential = credentialFor(options.credentials, options.image);
    this.#key = `${options.image.registry} ${digestOf(this.#credential ?? null)}`;
  }

  /**
   * An answer with status 200 or 304, or 404 where `accept404`.
   * @throws RegistryError
   */
  async request(request: RegistryRequest, accept404 = false): Promise<HttpResponse> {
    const { shared, now } = this.#options;
    const wait = (shared.pauses.get(this.#key) ?? 0) - now();
    if (wait > 0)
      throw new RegistryError(
        'rate-limited',
        `${this.image.registry} asked for fewer requests; it is asked again in ${Math.ceil(wait / 1_000)} s`,
        { retryAfter: wait },
      );
    let answer = await this.#send(request, this.#known());
    if (answer.status === 401) {
      shared.authorizations.delete(this.#tokenKey());
      const authorization = await this.#authorize(answer);
      answer = await this.#send(request, authorization);
    }
    if (answer.status === 200 || answer.status === 304 || (accept404 && answer.status === 404)) return answer;
    throw this.#errorOf(answer);
  }

  /** URL of a path below the repository. */
  #url(scheme: string, target: string | URL): URL {
    if (target instanceof URL) return target;
    const { registry, repository } = this.image;
    return new URL(`${scheme}://${registry}/v2/${repository}/${target}`);
  }

  #tokenKey(): string {
    return `${this.#key} ${this.image.repository}`;
  }

  #known(): string | undefined {
    if (this.#credential?.type === 'bearer') return `Bearer ${this.#credential.token}`;
    const known = this.#options.shared.authorizations.get(this.#tokenKey());
    return known && known.expiresAt > this.#options.now() ? known.header : undefined;
  }

  async #send(request: RegistryRequest, authorization: string | undefined): Promise<HttpResponse> {
    const { insecure, shared } = this.#options;
    const { registry } = this.image;
    const scheme = insecure ? (shared.schemes.get(registry) ?? 'https') : 'https';
    try {
      const answer = await this.#exchange(request, scheme, authorization);
      if (insecure) shared.schemes.set(registry, scheme);
      return answer;
    } catch (error) {
      const mayLackTls = insecure && scheme === 'https' && !shared.schemes.has(registry);
      if (!mayLackTls || !(error instanceof HttpError) || error.kind !== 'network')
        throw this.#connectionError(error);
    }
    try {
      const answer = await this.#exchange(request, 'http', authorization);
      shared.schemes.set(registry, 'http');
      return answer;
    } catch (error) {
      throw this.#connectionError(error);
    }
  }

  async #exchange(
    request: RegistryRequest,
    scheme: string,
    authorization: string | undefined,
  ): Promise<HttpResponse> {
    const { http, signal } = this.#options;
    const url = this.#url(scheme, request.target);
    const isOwn = url.host === this.image.registry && url.protocol === `${scheme}:`;
    return http.request({
      method: request.method ?? 'GET',
      url,
      headers: { ...request.headers, ...(authorization && isOwn ? { authorization } : {}) },
      redirect: 'follow',
      maxBytes: request.maxBytes,
      signal,
      secrets: this.#secrets(),
    });
  }

  /** Proves who we are in the way the registry asks for. */
  async #authorize(answer: HttpResponse): Promise<string> {
    const { http, shared, now, signal, credentials } = this.#options;
    const url = new URL(answer.url);
    if (url.host !== this.image.registry) throw this.#errorOf(answer);
    const challenges = parseChallenges(answer.headers.get('www-authenticate') ?? '');
    const bearer = challenges.find(({ scheme }) => scheme === 'bearer');
    const credential = this.#credential;
    if (bearer && credential?.type !== 'bearer') {
      try {
        const authorization = await fetchToken(
          { http, registry: url, image: this.image, credential, entries: credentials, now: now(), signal },
          bearer,
        );
        shared.authorizations.set(this.#tokenKey(), authorization);
        return authorization.header;
      } catch (error) {
        throw error instanceof RegistryError ? error : this.#connectionError(error);
      }
    }
    const basic = challenges.some(({ scheme }) => scheme === 'basic');
    if (basic && credential?.type === 'basic') {
      const header = basicHeader(credential);
      shared.authorizations.set(this.#tokenKey(), { header, expiresAt: Number.POSITIVE_INFINITY });
      return header;
    }
    throw this.#errorOf(answer);
  }

  #errorOf(answer: HttpResponse): RegistryError {
    const { status, headers } = answer;
    const { shared, now } = this.#options;
    const image = formatImageName(this.image);
    const secrets = this.#secrets();
    const said = saidOf(answer);
    const retry = retryAfter(headers, now());
    const { host } = new URL(answer.url);
    if ((status === 401 || status === 403) && host !== this.image.registry)
      return new RegistryError(
        'refused',
        `${this.image.registry} redirects to ${host}, which wants credentials; nothing was sent there`,
      );
    switch (status) {
      case 401:
      case 403:
        return new RegistryError('auth', `${image}: ${this.#accessProblem(status)}${said}`, { secrets });
      case 404:
        return new RegistryError(
          'not-found',
          `${image} does not exist, or is hidden from whom asks for it${said}`,
          {
            secrets,
          },
        );
      case 429: {
        shared.pauses.set(this.#key, now() + (retry ?? DEFAULT_PAUSE_MS));
        return new RegistryError(
          'rate-limited',
          `${this.image.registry} answered 429, it wants fewer requests${said}`,
          { secrets, retryAfter: retry ?? DEFAULT_PAUSE_MS },
        );
      }
      default:
        return new RegistryError(
          status >= 500 ? 'unavailable' : 'protocol',
          `${this.image.registry} answered ${status} when asked for ${image}${said}`,
          { secrets, ...(retry === undefined ? {} : { retryAfter: retry }) },
        );
    }
  }

  #accessProblem(status: number): string {
    if (this.#credential === undefined)
      return 'the registry wants credentials, and there are none for it; name a Secret that has them in spec.secretRef';
    return status === 401
      ? 'the registry does not accept the credentials'
      : 'the credentials do not allow reading it';
  }

  #connectionError(error: unknown): unknown {
    if (!(error instanceof HttpError)) return error;
    const secrets = this.#secrets();
    if (this.#options.signal.aborted)
      return new RegistryError(
        'unavailable',
        `${formatImageName(this.image)}: the registry did not give all that was asked for within spec.timeout`,
      );
    if (error.kind === 'refused') return new RegistryError('refused', error.message, { secrets });
    if (error.kind === 'too-large') return new RegistryError('protocol', error.message, { secrets });
    const hint = ABOUT_TLS.test(error.message)
      ? '; if its certificate is right, give its authority in spec.certSecretRef (ca.crt), or set spec.insecure for a registry without TLS'
      : '';
    return new RegistryError('unavailable', `${error.message}${hint}`, { secrets });
  }

  #secrets(): string[] {
    const known = this.#options.shared.authorizations.get(this.#tokenKey());
    return [
      ...(this.#credential === undefined ? [] : [secretOf(this.#credential)]),
      ...(known === undefined ? [] : [known.header.replace(/^\w+ /, '')]),
    ];
  }
}

/** What a registry says of its refusal. https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#error-codes */
function saidOf(answer: HttpResponse): string {
  try {
    const { errors } = JSON.parse(answer.text()) as { errors?: { code?: unknown; message?: unknown }[] };
    const words = [errors?.[0]?.code, errors?.[0]?.message].filter((word) => typeof word === 'string');
    return words.length === 0 ? '' : ` (${words.join(': ').slice(0, 200)})`;
  } catch {
    return '';
  }
}
