import type { KubernetesObject } from '../core/object.ts';
import { redact } from '../core/redact.ts';
import { KubeError, type Status } from './errors.ts';
import type { Answer } from './exchange.ts';
import { parseRetryAfter } from './retry.ts';

/** What a refusal speaks of. */
export interface Subject {
  /** What was asked, such as `apply Deployment/apps/podinfo`. */
  what: string;
  /** The object is a Secret: nothing that may echo its values is passed on. */
  secret: boolean;
  /** The body that was sent, whose values must not come back in a message. */
  body?: unknown;
}

/** Statuses whose message may quote what was sent. */
const ECHOING = new Set([400, 413, 415, 422, 500]);

/**
 * The KubeError of an answer that is not a success. For a Secret the server's own words are replaced by the fields and
 * reasons that it names, since they may quote the value, and known values are removed from whatever is left.
 * @param now epoch in ms, for a Retry-After that is a date
 */
export function refusalOf(answer: Answer, subject: Subject, now: number): KubeError {
  const status = statusOf(answer);
  const values = subject.secret ? valuesOf(subject.body) : [];
  const safe = status === undefined ? undefined : sanitized(status, subject.secret, answer.code, values);
  const retryAfter = parseRetryAfter(answer.headers['retry-after'], now) ?? secondsOf(status);
  return new KubeError(answer.code, `${subject.what}: ${reasonOf(answer, safe, subject.secret)}`, {
    ...(safe === undefined ? {} : { status: safe }),
    ...(retryAfter === undefined ? {} : { retryAfter }),
    secrets: values,
  });
}

/** The Status in a body, or undefined when something else answered. */
export function statusOf(answer: Answer): Status | undefined {
  if (answer.body.length === 0 || answer.body[0] !== 0x7b) return undefined;
  try {
    const parsed = JSON.parse(answer.body.toString('utf8')) as Status;
    return parsed.kind === 'Status' ? parsed : undefined;
  } catch {
    return undefined;
  }
}

function secondsOf(status: Status | undefined): number | undefined {
  const seconds = status?.details?.retryAfterSeconds;
  return seconds === undefined || seconds <= 0 ? undefined : seconds * 1_000;
}

function sanitized(status: Status, secret: boolean, code: number, values: readonly string[]): Status {
  if (!secret) return status;
  const { details, message, ...rest } = status;
  const causes = (details?.causes ?? []).map(({ reason, field }) => ({
    ...(reason === undefined ? {} : { reason }),
    ...(field === undefined ? {} : { field: redact(field, values) }),
  }));
  const safe: Status = { ...rest };
  if (details !== undefined) safe.details = { ...details, causes };
  if (message !== undefined && !ECHOING.has(code)) safe.message = redact(message, values);
  return safe;
}

function reasonOf(answer: Answer, status: Status | undefined, secret: boolean): string {
  if (answer.code >= 300 && answer.code < 400) {
    return `the server answered with a redirect (${answer.code}), which is not followed; the address of the cluster must be the API server itself`;
  }
  if (status?.message) return status.message;
  if (status !== undefined) {
    const causes = (status.details?.causes ?? []).map(
      ({ field, reason }) => `${field ?? ''} (${reason ?? '?'})`,
    );
    const where = causes.length === 0 ? '' : `: ${causes.join(', ')}`;
    return `${status.reason ?? answer.code}${where}; the server's message is withheld because it may quote the Secret`;
  }
  if (secret) return `HTTP ${answer.code}`;
  const text = answer.body.toString('utf8', 0, 300).replace(/\s+/g, ' ').trim();
  return text === '' ? `HTTP ${answer.code}` : `HTTP ${answer.code}: ${text}`;
}

/** All strings of a Secret's data, encoded and decoded, or of a patch to one. */
function valuesOf(body: unknown): string[] {
  const values: string[] = [];
  const { data, stringData } = (body ?? {}) as Partial<KubernetesObject>;
  collect(data, values);
  for (const encoded of [...values]) values.push(Buffer.from(encoded, 'base64').toString('utf8'));
  collect(stringData, values);
  if (Array.isArray(body))
    collect(
      body.map((operation: { value?: unknown }) => operation.value),
      values,
    );
  return values;
}

function collect(value: unknown, into: string[]): void {
  if (typeof value === 'string') into.push(value);
  else if (typeof value === 'number') into.push(String(value));
  else if (value !== null && typeof value === 'object')
    for (const member of Object.values(value)) collect(member, into);
}

/** Whether an object of this kind holds secrets by its nature. */
export function isSecret(gvk: { group: string; kind: string }): boolean {
  return gvk.kind === 'Secret' && gvk.group === '';
}
