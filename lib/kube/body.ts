import { KubeError } from './errors.ts';
import type { Answer } from './exchange.ts';

/** Parses the JSON of a successful answer. @throws KubeError (code 0) when it is none, without quoting it */
export function parseBody<T>(answer: Answer, what: string): T {
  try {
    return JSON.parse(answer.body.toString('utf8')) as T;
  } catch {
    throw new KubeError(
      0,
      `${what}: the answer is not JSON; is the address that of a Kubernetes API server?`,
    );
  }
}

/**
 * The texts of an answer's Warning headers: `299 - "text"`.
 * @see https://kubernetes.io/blog/2020/09/03/warnings/
 */
export function warningsOf(answer: Answer): string[] {
  const header = answer.headers.warning;
  const joined = Array.isArray(header) ? header.join(', ') : (header ?? '');
  return [...joined.matchAll(/\b299 \S+ "((?:[^"\\]|\\.)*)"/g)].map(([, text = '']) =>
    text.replace(/\\(.)/g, '$1'),
  );
}
