import { AwsV4Signer } from 'aws4fetch';
import { messageOf } from '../core/errors.ts';
import { type AwsAnswer, type AwsMessage, exchange } from './aws-connection.ts';
import { AwsError, faultOf, passes } from './aws-fault.ts';

/** Who calls; AWS's chain of providers makes it (environment, role of a function or a pod, profile). */
export type AwsCredentials = () => Promise<{
  accessKeyId: string;
  secretAccessKey: string;
  sessionToken?: string;
  expiration?: Date;
}>;

/** What calls to AWS are made with. */
export interface AwsApiOptions {
  credentials: AwsCredentials;
  /** Used where a call names none; undefined: then every call must. */
  region: string | undefined;
  /** The address of a service instead of AWS's own, as `AWS_ENDPOINT_URL_<SERVICE>` says. Default: none. */
  endpoint?(service: string): string | undefined;
  /** Epoch in ms. */
  now(): number;
  /** Default: a timer. */
  sleep?(ms: number): Promise<unknown>;
  /** Default: `Math.random`. */
  random?(): number;
  /** How long one try may take, in ms. Default: 10 s. */
  timeoutMs?: number;
  /** Sends a request once. Default: by Node's own connections. */
  exchange?(message: AwsMessage): Promise<AwsAnswer>;
}

/** A call. */
export interface AwsRequest {
  /** The name in signatures and host names, such as `secretsmanager`. */
  service: string;
  region?: string | undefined;
  /** Default: GET. */
  method?: 'GET' | 'POST' | 'HEAD' | 'PUT' | 'DELETE';
  /** Default: `/`. */
  path?: string;
  query?: Readonly<Record<string, string>>;
  headers?: Readonly<Record<string, string>>;
  body?: string | Uint8Array;
  /** The scheme and host of the service, where they are known and no {@link AwsApiOptions.endpoint} replaces them. */
  origin?: string;
  /** How much longer than usual AWS may take to answer, in ms: it was asked to wait. */
  waitMs?: number;
  /** Statuses that are no fault here. Default: none but success. */
  expected?: readonly number[];
  /** Ends the call; it then throws the signal's reason. */
  signal?: AbortSignal | undefined;
}

/**
 * Calls to AWS: signed, sent, tried again. It is what Slipway calls AWS by, because the SDK's clients take most of a function's cold start.
 */
export interface AwsApi {
  /**
   * The text of an answer. Throttling and faults of the service are tried again a few times.
   * @throws AwsError
   */
  call(request: AwsRequest): Promise<string>;
  /**
   * As {@link call}, for bytes and for statuses that are {@link AwsRequest.expected}.
   * @throws AwsError
   */
  send(request: AwsRequest): Promise<Pick<AwsAnswer, 'status' | 'body'>>;
  /** The URL of a GET that whoever has it may make once within that time. */
  presign(request: AwsRequest, expiresInSeconds: number): Promise<string>;
  /** A call as it would be sent, for somebody who is to send it in our place. */
  sign(request: AwsRequest): Promise<Pick<AwsMessage, 'url' | 'method' | 'headers'>>;
  /** The same for somebody else. */
  as(credentials: AwsCredentials): AwsApi;
  /** The region of a call that names none. @throws Error saying how to name one */
  region(given?: string): string;
}

/** Services whose hosts are named otherwise. */
const HOSTS: Readonly<Record<string, string>> = { ecr: 'api.ecr' };

const ATTEMPTS = 4;
const BACKOFF_MS = 200;
const TIMEOUT_MS = 10_000;

/** Keys of signatures that are kept: one a day, region, service and credential. */
const MAX_KEYS = 50;

/** Makes the caller of AWS. */
export function createAwsApi(options: AwsApiOptions): AwsApi {
  const { timeoutMs = TIMEOUT_MS, random = Math.random } = options;
  const sleep = options.sleep ?? ((ms: number) => new Promise((resolve) => setTimeout(resolve, ms)));
  const keys = new Map<string, ArrayBuffer>();

  function region(given = options.region): string {
    if (given) return given;
    throw new Error('no AWS region is known; set AWS_REGION, or name it in the fleet file');
  }

  async function signerOf(request: AwsRequest, expiresInSeconds?: number): Promise<AwsV4Signer> {
    const { service, method = 'GET', headers = {}, body } = request;
    const where = region(request.region);
    const origin =
      options.endpoint?.(service) ??
      request.origin ??
      `https://${HOSTS[service] ?? service}.${where}.${domainOf(where)}`;
    const url = new URL(`${origin.replace(/\/$/, '')}${request.path ?? '/'}`);
    for (const [name, value] of Object.entries(request.query ?? {})) url.searchParams.set(name, value);
    if (expiresInSeconds !== undefined) url.searchParams.set('X-Amz-Expires', String(expiresInSeconds));
    const { accessKeyId, secretAccessKey, sessionToken } = await options.credentials();
    if (keys.size > MAX_KEYS) keys.clear();
    return new AwsV4Signer({
      url: url.href,
      method,
      headers: { ...headers },
      ...(body === undefined ? {} : { body }),
      accessKeyId,
      secretAccessKey,
      ...(sessionToken === undefined ? {} : { sessionToken }),
      service,
      region: where,
      datetime: new Date(options.now()).toISOString().replace(/[:-]|\.\d{3}/g, ''),
      cache: keys,
      signQuery: expiresInSeconds !== undefined,
    });
  }

  async function once(request: AwsRequest): Promise<AwsAnswer> {
    const { service, signal } = request;
    const { url, method, headers } = await (await signerOf(request)).sign();
    const deadline = AbortSignal.timeout(timeoutMs + (request.waitMs ?? 0));
    let answer: AwsAnswer;
    try {
      answer = await (options.exchange ?? exchange)({
        url,
        method,
        headers: Object.fromEntries(headers),
        body: request.body,
        signal: signal ? AbortSignal.any([signal, deadline]) : deadline,
      });
    } catch (error) {
      signal?.throwIfAborted();
      throw new AwsError('', 0, `${service} cannot be reached: ${messageOf(error)}`, error);
    }
    const { status, errorType, body } = answer;
    if ((status >= 200 && status < 300) || request.expected?.includes(status)) return answer;
    throw faultOf(service, status, errorType, textOf(body));
  }

  async function send(request: AwsRequest): Promise<AwsAnswer> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await once(request);
      } catch (error) {
        if (!passes(error) || attempt === ATTEMPTS) throw error;
        // Scattered, so that many who were throttled together do not come back together.
        await sleep(BACKOFF_MS * 2 ** (attempt - 1) * (0.5 + random() / 2));
      }
    }
  }

  return {
    region,
    as: (credentials) => createAwsApi({ ...options, credentials }),
    call: async (request) => textOf((await send(request)).body),
    send,
    async sign(request) {
      const { url, method, headers } = await (await signerOf(request)).sign();
      return { url, method, headers: { host: url.host, ...Object.fromEntries(headers) } };
    },
    async presign(request, expiresInSeconds) {
      const { url } = await (await signerOf(request, expiresInSeconds)).sign();
      return url.href;
    },
  };
}

function textOf(body: Uint8Array): string {
  return new TextDecoder().decode(body);
}

/** What the host names of AWS's services end with in a region. */
export function domainOf(region: string): string {
  return region.startsWith('cn-') ? 'amazonaws.com.cn' : 'amazonaws.com';
}
