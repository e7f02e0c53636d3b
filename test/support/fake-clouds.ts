import type { Http, HttpRequest, HttpResponse } from '../../lib/http.ts';

/** A request as an endpoint of a cloud sees it. */
export interface CloudRequest {
  method: string;
  url: URL;
  headers: Readonly<Record<string, string>>;
  /** The form of its body. */
  form: Record<string, string>;
  body: string;
}

/** An HTTP client at whose other end are endpoints of clouds, by host. What is asked of any other host fails the test. */
export interface FakeClouds extends Http {
  requests: CloudRequest[];
}

/** @param hosts what each host answers: a status and a JSON value */
export function fakeClouds(
  hosts: Readonly<Record<string, (request: CloudRequest) => [status: number, answer: unknown]>>,
): FakeClouds {
  const requests: CloudRequest[] = [];
  return {
    requests,
    async request({ method = 'GET', url, headers = {}, body = '' }: HttpRequest): Promise<HttpResponse> {
      const at = new URL(url);
      const text = Buffer.from(body).toString();
      const form = Object.fromEntries(new URLSearchParams(text));
      const request = { method, url: at, headers, form, body: text };
      requests.push(request);
      const host = hosts[at.host];
      if (!host) throw new Error(`nothing may be sent to ${at.host}`);
      const [status, answer] = host(request);
      const bytes = Buffer.from(JSON.stringify(answer));
      return { status, headers: new Headers(), body: bytes, url: at.href, text: () => bytes.toString() };
    },
    stream: () => Promise.reject(new Error('nothing is streamed')),
    close: () => Promise.resolve(),
  };
}
