import type { z } from 'zod';
import { messageOf } from '../core/errors.ts';
import type { Http, HttpResponse } from '../http.ts';
import { HttpError } from '../http-error.ts';
import { retryAfter } from '../retry-after.ts';
import { ForgeError } from './errors.ts';
import { plainText } from './plain-text.ts';

/** A call of a provider's REST API. */
export interface ApiCall<T extends z.ZodType> {
  method: 'GET' | 'POST' | 'PUT' | 'PATCH';
  /** Below the API's base URL, beginning with a slash; parts from outside are already encoded. */
  path: string;
  /** Sent as JSON. */
  body?: unknown;
  /** What the answer must be; an answer without a body is read as null. */
  answer: T;
}

/** Makes calls to one provider's REST API. Throws ForgeErrors alone. */
export type Api = <T extends z.ZodType>(call: ApiCall<T>) => Promise<z.output<T>>;

/** Settings of {@link createApi}. */
export interface ApiOptions {
  http: Http;
  /** Without a slash at its end. */
  baseUrl: string;
  /** Headers of every call, with the credential; asked for each time, since it may change. */
  headers(): Promise<Readonly<Record<string, string>>>;
  /** Epoch in ms. */
  now(): number;
}

/** When a provider limits us without saying for how long: https://docs.github.com/en/rest/using-the-rest-api/best-practices-for-using-the-rest-api */
const LEAST_WAIT_MS = 60_000;

/** A client of one provider's REST API. */
export function createApi(options: ApiOptions): Api {
  return async (call) => {
    const where = `${call.method} ${options.baseUrl}${call.path}`;
    const url = `${options.baseUrl}${call.path}`;
    const response = await send(options, call, url, where);
    const moved = movedTo(response, url);
    const last = moved === undefined ? response : await send(options, call, moved, where);
    if (last.status >= 200 && last.status < 300) return read(last, call.answer, where);
    throw refusal(last, where, options.now());
  };
}

/** A renamed repository answers writes with 307 or 308, which are followed once within the same server. */
function movedTo({ status, headers }: HttpResponse, url: string): string | undefined {
  const location = headers.get('location');
  if ((status !== 307 && status !== 308) || location === null || !URL.canParse(location, url))
    return undefined;
  const next = new URL(location, url);
  return next.origin === new URL(url).origin ? next.href : undefined;
}

async function send(
  options: ApiOptions,
  call: ApiCall<z.ZodType>,
  url: string,
  where: string,
): Promise<HttpResponse> {
  const headers = await options.headers().catch((error: unknown) => {
    if (error instanceof ForgeError) throw error;
    throw new ForgeError('unauthorized', `${where}: ${messageOf(error)}`, { cause: error });
  });
  try {
    return await options.http.request({
      method: call.method,
      url,
      headers: {
        accept: 'application/json',
        ...(call.body === undefined ? {} : { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(call.body === undefined ? {} : { body: JSON.stringify(call.body) }),
      redirect: call.method === 'GET' ? 'follow' : 'none',
    });
  } catch (error) {
    if (!(error instanceof HttpError)) throw error;
    const passing = error.kind === 'timeout' || error.kind === 'network';
    throw new ForgeError(passing ? 'transient' : 'rejected', `${where}: ${error.message}`, { cause: error });
  }
}

function read<T extends z.ZodType>(response: HttpResponse, schema: T, where: string): z.output<T> {
  const text = response.text();
  let value: unknown;
  try {
    value = text.trim() === '' ? null : JSON.parse(text);
  } catch (error) {
    throw new ForgeError('transient', `${where}: the answer is no JSON; is this the provider's address?`, {
      cause: error,
    });
  }
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const field = result.error.issues[0]?.path.join('.') ?? '';
  throw new ForgeError(
    'transient',
    `${where}: the answer is not as documented${field === '' ? '' : ` at ${field}`}`,
  );
}

function refusal(response: HttpResponse, where: string, now: number): ForgeError {
  const { status, headers } = response;
  const said = saidBy(response);
  const wait = retryAfter(headers, now);
  const message = `${where}: ${status}${said === '' ? '' : ` ${said}`}`;
  if (status === 429 || (status === 403 && (wait !== undefined || /rate limit|abuse/i.test(said))))
    return new ForgeError('rate-limited', message, { retryAfter: wait ?? LEAST_WAIT_MS });
  if (status === 403 && /archived|read-only/i.test(said)) return new ForgeError('gone', message);
  if (status === 401 || status === 403) return new ForgeError('unauthorized', message);
  if (status === 404 || status === 410 || (status === 422 && /no commit found/i.test(said)))
    return new ForgeError('gone', message);
  if (status >= 300 && status < 400)
    return new ForgeError('gone', `${message}: the repository has moved; use its new address`);
  if (status === 408 || status >= 500) return new ForgeError('transient', message, { retryAfter: wait });
  return new ForgeError('rejected', message);
}

/** What the provider says about the refusal, in one short line, in whichever form it says it. */
function saidBy(response: HttpResponse): string {
  let value: unknown;
  try {
    value = JSON.parse(response.text());
  } catch {
    return '';
  }
  const found = findMessages(value, 0).join('; ');
  return plainText(found, 300);
}

const MESSAGE_FIELDS = /^(message|error|error_description|errors|detail)$/;

/** All texts under fields that hold messages: `{message}`, `{errors: [{message}]}`, `{error: {message}}`, `{message: {base: [text]}}`. */
function findMessages(value: unknown, depth: number, inside = false): string[] {
  if (typeof value === 'string') return inside ? [value] : [];
  if (depth > 4 || value === null || typeof value !== 'object') return [];
  if (Array.isArray(value)) return value.slice(0, 5).flatMap((item) => findMessages(item, depth + 1, inside));
  const entries = Object.entries(value);
  const named = entries.filter(([name]) => MESSAGE_FIELDS.test(name));
  return (named.length > 0 || !inside ? named : entries).flatMap(([, member]) =>
    findMessages(member, depth + 1, true),
  );
}
