import { createHash, createHmac } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { NodeHttpHandler } from '@smithy/node-http-handler';
import { SignatureV4 } from '@smithy/signature-v4';
import { messageOf } from '../core/errors.ts';

/** Who calls; the SDK's chain of providers makes it (environment, role of a function or a pod, profile). */
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
}

/** A call. */
export interface AwsRequest {
  /** The name in signatures and host names, such as `secretsmanager`. */
  service: string;
  region?: string | undefined;
  /** Default: GET. */
  method?: 'GET' | 'POST';
  /** Default: `/`. */
  path?: string;
  query?: Readonly<Record<string, string>>;
  headers?: Readonly<Record<string, string>>;
  body?: string;
}

/** An answer of AWS that is no success. The code is AWS's own, such as `ResourceNotFoundException`. */
export class AwsError extends Error {
  override readonly name = 'AwsError';
  readonly code: string;
  /** Of HTTP; 0 when there was no answer. */
  readonly status: number;

  constructor(code: string, status: number, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.code = code;
    this.status = status;
  }
}

/** The few calls to AWS that need no client of their own. */
export interface AwsApi {
  /**
   * The text of an answer. Throttling and faults of the service are tried again a few times.
   * @throws AwsError
   */
  call(request: AwsRequest): Promise<string>;
  /** The URL of a GET that whoever has it may make once within that time. */
  presign(request: AwsRequest, expiresInSeconds: number): Promise<string>;
  /** The region of a call that names none. @throws Error saying how to name one */
  region(given?: string): string;
}

/** Services whose hosts are named otherwise. */
const HOSTS: Readonly<Record<string, string>> = { ecr: 'api.ecr' };

const ATTEMPTS = 4;
const BACKOFF_MS = 200;
const TIMEOUT_MS = 10_000;
const THROTTLED = /Throttl|TooManyRequests|RequestLimitExceeded|ServiceUnavailable|InternalServiceError/;

/** Makes the caller of AWS. */
export function createAwsApi(options: AwsApiOptions): AwsApi {
  const handler = new NodeHttpHandler({ connectionTimeout: 5_000, requestTimeout: TIMEOUT_MS });
  const sleep = options.sleep ?? delay;

  function region(given = options.region): string {
    if (given) return given;
    throw new Error('no AWS region is known; set AWS_REGION, or name it in the fleet file');
  }

  function prepare(request: AwsRequest) {
    const { service } = request;
    const where = region(request.region);
    const url = new URL(
      options.endpoint?.(service) ?? `https://${HOSTS[service] ?? service}.${where}.${domainOf(where)}`,
    );
    const signer = new SignatureV4({
      service,
      region: where,
      sha256: Sha256,
      credentials: options.credentials,
      // Paths are signed as they are sent, encoded once more for every service but S3.
      uriEscapePath: service !== 's3',
    });
    const unsigned = {
      method: request.method ?? 'GET',
      protocol: url.protocol,
      hostname: url.hostname,
      ...(url.port === '' ? {} : { port: Number(url.port) }),
      path: request.path ?? '/',
      query: { ...request.query },
      headers: { host: url.host, ...request.headers },
      ...(request.body === undefined ? {} : { body: request.body }),
    };
    return { signer, unsigned, signingDate: new Date(options.now()) };
  }

  async function once(request: AwsRequest): Promise<string> {
    const { signer, unsigned, signingDate } = prepare(request);
    const signed = await signer.sign(unsigned, { signingDate });
    const { response } = await handler
      .handle({ ...unsigned, ...signed } as Parameters<typeof handler.handle>[0])
      .catch((error: unknown) => {
        throw new AwsError('', 0, `${request.service} cannot be reached: ${messageOf(error)}`, error);
      });
    const chunks: Buffer[] = [];
    for await (const chunk of response.body as AsyncIterable<Buffer>) chunks.push(chunk);
    const text = Buffer.concat(chunks).toString('utf8');
    if (response.statusCode < 300) return text;
    throw faultOf(request.service, response.statusCode, response.headers['x-amzn-errortype'], text);
  }

  return {
    region,
    async call(request) {
      for (let attempt = 1; ; attempt += 1) {
        try {
          return await once(request);
        } catch (error) {
          const { code, status } = error instanceof AwsError ? error : { code: '', status: 400 };
          const passes = status === 0 || status === 429 || status >= 500 || THROTTLED.test(code);
          if (!passes || attempt === ATTEMPTS) throw error;
          await sleep(BACKOFF_MS * 2 ** (attempt - 1));
        }
      }
    },
    async presign(request, expiresInSeconds) {
      const { signer, unsigned, signingDate } = prepare(request);
      const signed = await signer.presign(unsigned, { signingDate, expiresIn: expiresInSeconds });
      const query = Object.entries(signed.query ?? {}).map(
        ([name, value]) => `${encodeURIComponent(name)}=${encodeURIComponent(String(value))}`,
      );
      return `${unsigned.protocol}//${unsigned.headers.host}${unsigned.path}?${query.join('&')}`;
    },
  };
}

function domainOf(region: string): string {
  return region.startsWith('cn-') ? 'amazonaws.com.cn' : 'amazonaws.com';
}

/** JSON services name their error in `__type` or a header, with a namespace before it or a link behind; S3 in XML. */
function faultOf(service: string, status: number, header: string | undefined, text: string): AwsError {
  let type = header ?? '';
  let message = '';
  try {
    const body = JSON.parse(text) as { __type?: string; message?: string; Message?: string };
    type = body.__type ?? type;
    message = body.message ?? body.Message ?? '';
  } catch {
    type = /<Code>([^<]*)<\/Code>/.exec(text)?.[1] ?? type;
    message = /<Message>([^<]*)<\/Message>/.exec(text)?.[1] ?? '';
  }
  const code = type.replace(/^.*#/, '').replace(/:.*$/, '');
  return new AwsError(
    code,
    status,
    `${service} answered ${status}${code === '' ? '' : ` ${code}`}: ${message}`,
  );
}

/** The hash that the signer wants, over Node's own. */
class Sha256 {
  readonly #hash;

  constructor(secret?: string | ArrayBuffer | ArrayBufferView) {
    this.#hash = secret === undefined ? createHash('sha256') : createHmac('sha256', bytesOf(secret));
  }

  update(data: string | ArrayBuffer | ArrayBufferView): void {
    this.#hash.update(bytesOf(data));
  }

  async digest(): Promise<Uint8Array> {
    return this.#hash.digest();
  }

  reset(): void {
    throw new Error('a hash is used once');
  }
}

function bytesOf(data: string | ArrayBuffer | ArrayBufferView): Uint8Array {
  if (typeof data === 'string') return Buffer.from(data, 'utf8');
  return ArrayBuffer.isView(data)
    ? new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
    : new Uint8Array(data);
}
