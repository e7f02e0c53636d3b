import { PlainHeaders } from './plain-headers.ts';

/**
 * `Request` and `Response` of fetch over bodies that are in memory, as far as webhooks and Hono use them. A bundle puts them in the place of
 * the platform's (infra/aws/bundle.ts), which Node loads with all of its HTTP client: that was a quarter of the cold start of `webhook`.
 * test/unit/functions/http-event.test.ts runs over both.
 */
type Body = string | Uint8Array | null;

type HeadersInit = ConstructorParameters<typeof PlainHeaders>[0];

/** Methods that no request may have, since they concern the connection. */
const FORBIDDEN = /^(connect|trace|track)$/i;

/** Methods that are written in capitals, however they were given. */
const CAPITAL = /^(delete|get|head|options|post|put)$/i;

const TOKEN = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;

class Message {
  readonly headers: PlainHeaders;
  #bytes: Uint8Array | null;
  #used = false;

  constructor(headers: HeadersInit, body: Body) {
    this.headers = new PlainHeaders(headers);
    this.#bytes = typeof body === 'string' ? Buffer.from(body) : body;
  }

  get bodyUsed(): boolean {
    return this.#used;
  }

  /** The bytes, which can be taken once. @throws TypeError afterwards */
  async bytes(): Promise<Uint8Array> {
    return this.take();
  }

  async arrayBuffer(): Promise<ArrayBuffer> {
    return new Uint8Array(this.take()).buffer;
  }

  async text(): Promise<string> {
    return new TextDecoder().decode(this.take());
  }

  async json(): Promise<unknown> {
    return JSON.parse(await this.text());
  }

  protected get content(): Uint8Array | null {
    return this.#bytes;
  }

  protected take(): Uint8Array {
    if (this.#used) throw new TypeError('the body was read already');
    this.#used = this.#bytes !== null;
    return this.#bytes ?? new Uint8Array();
  }
}

/** A request with a body of known length. */
export class PlainRequest extends Message {
  readonly method: string;
  readonly url: string;

  /** @throws TypeError for a method, header or address that no request may have */
  constructor(url: URL | string, init: { method?: string; headers?: HeadersInit; body?: Body } = {}) {
    const { method = 'GET', headers, body = null } = init;
    const { href, username, password } = new URL(url);
    if (!TOKEN.test(method) || FORBIDDEN.test(method))
      throw new TypeError('a request has a method that none may have');
    if (username !== '' || password !== '') throw new TypeError('a request has an address with a credential');
    if (body !== null && /^(get|head)$/i.test(method))
      throw new TypeError('a request of that method has no body');
    super(headers, body);
    this.method = CAPITAL.test(method) ? method.toUpperCase() : method;
    this.url = href;
  }

  /** What reads the body in one chunk; null when there is none. */
  get body(): { getReader(): { read(): Promise<unknown>; cancel(): Promise<void> } } | null {
    if (this.content === null) return null;
    return {
      getReader: () => {
        const value = this.take();
        let left = value.byteLength > 0;
        return {
          read: async () => {
            const chunk = left ? { done: false, value } : { done: true, value: undefined };
            left = false;
            return chunk;
          },
          cancel: async () => {
            left = false;
          },
        };
      },
    };
  }
}

/** What a response is made with; another response will do. */
interface ResponseInit {
  status?: number | undefined;
  statusText?: string | undefined;
  headers?: HeadersInit;
}

/** Statuses whose response has no body. */
const EMPTY = new Set([101, 103, 204, 205, 304]);

/** An answer. */
export class PlainResponse extends Message {
  readonly status: number;
  readonly statusText: string;

  /** @throws RangeError for a status that no answer may have; TypeError for a body where there may be none */
  constructor(body: Body | undefined = null, init: ResponseInit = {}) {
    const { status = 200, statusText = '', headers } = init;
    if (!Number.isInteger(status) || status < 200 || status > 599)
      throw new RangeError(`an answer cannot have the status ${status}`);
    if (body !== null && EMPTY.has(status))
      throw new TypeError(`an answer of the status ${status} has no body`);
    super(headers, body);
    if (typeof body === 'string' && !this.headers.has('content-type'))
      this.headers.set('content-type', 'text/plain;charset=UTF-8');
    this.status = status;
    this.statusText = statusText;
  }

  static json(value: unknown, init: ResponseInit = {}): PlainResponse {
    const response = new PlainResponse(JSON.stringify(value), {
      ...init,
      headers: { 'content-type': 'application/json', ...Object.fromEntries(new PlainHeaders(init.headers)) },
    });
    return response;
  }

  get ok(): boolean {
    return this.status < 300;
  }

  /** What another response can be made with. */
  get body(): Uint8Array | null {
    return this.content;
  }
}
