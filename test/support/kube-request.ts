import { Agent, request } from 'node:https';
import type { KubernetesConnection } from './kubernetes.ts';

/** An answer of the API server. */
export interface KubeAnswer<T> {
  status: number;
  /** The parsed body; text when it is no JSON. */
  body: T;
}

const agent = new Agent({ keepAlive: true });

/**
 * One plain request to an API server, for tests that must not trust the client they test.
 * PATCH is sent as a merge patch unless `contentType` says otherwise, e.g. `application/apply-patch+yaml`.
 */
export function kubeRequest<T = Record<string, unknown>>(
  { server, caData, token }: KubernetesConnection,
  method: string,
  path: string,
  body?: unknown,
  contentType = method === 'PATCH' ? 'application/merge-patch+json' : 'application/json',
): Promise<KubeAnswer<T>> {
  const headers = { authorization: `Bearer ${token}`, 'content-type': contentType };
  return new Promise((resolve, reject) => {
    const sent = request(
      `${server}${path}`,
      { method, ca: caData, headers, agent, timeout: 60_000 },
      (response) => {
        let text = '';
        response.setEncoding('utf8');
        response.on('data', (part: string) => {
          text += part;
        });
        response.on('error', reject);
        response.on('end', () => resolve({ status: response.statusCode ?? 0, body: parse(text) as T }));
      },
    );
    sent.on('timeout', () => sent.destroy(new Error(`${method} ${path} did not answer within 60 s.`)));
    sent.on('error', reject);
    sent.end(body === undefined ? undefined : JSON.stringify(body));
  });
}

/** The same; throws unless the answer is 2xx, and answers the body alone. */
export async function kubeCall<T = Record<string, unknown>>(
  connection: KubernetesConnection,
  method: string,
  path: string,
  body?: unknown,
  contentType?: string,
): Promise<T> {
  const answer = await kubeRequest<T>(connection, method, path, body, contentType);
  if (answer.status < 200 || answer.status > 299) {
    throw new Error(
      `${method} ${path} answered ${answer.status}: ${JSON.stringify(answer.body).slice(0, 1000)}`,
    );
  }
  return answer.body;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
