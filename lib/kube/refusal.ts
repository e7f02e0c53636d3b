import { redact } from '../core/redact.ts';
import { retryAfter } from '../retry-after.ts';
import { KubeError, type Status } from './errors.ts';
import type { Answer } from './exchange.ts';
import { secretValues } from './secret-values.ts';

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

/** The server answers an apply that breaks the schema with 500, as if the fault were its own. */
const BREAKS_SCHEMA = 'failed to create typed patch object';
const SCHEMA_FAULT = /(\.[^\s:]+): (expected \w+|field not declared in schema|duplicate entries for key)/g;

/**
 * The KubeError of an answer that is not a success. An apply that breaks its schema becomes 422 `Invalid`, although the
 * server says 500. For a Secret the server's own words are replaced by the fields and reasons that it names, since they
 * may quote the value, and known values are removed from whatever is left.
 * @param now epoch in ms, for a Retry-After that is a date
 */
export function refusalOf(answer: Answer, subject: Subject, now: number): KubeError {
  const given = statusOf(answer);
  const breaksSchema = answer.code === 500 && given?.message?.startsWith(BREAKS_SCHEMA) === true;
  const code = breaksSchema ? 422 : answer.code;
  const status = breaksSchema ? { ...given, code, reason: 'Invalid' } : given;
  const values = subject.secret ? secretValues(subject.body) : [];
  const safe = status && subject.secret ? withoutValues(status, code, values) : status;
  const wait = waitOf(answer, status, now);
  return new KubeError(code, `${subject.what}: ${redact(reasonOf(answer, safe, subject.secret), values)}`, {
    ...(safe === undefined ? {} : { status: safe }),
    ...(wait === undefined ? {} : { retryAfter: wait }),
  });
}

/** The Status in a body, or undefined when something else answered. */
export function statusOf(answer: Answer): Status | undefined {
  if (answer.body[0] !== 0x7b) return undefined;
  try {
    const parsed = JSON.parse(answer.body.toString('utf8')) as Status;
    return parsed.kind === 'Status' ? parsed : undefined;
  } catch {
    return undefined;
  }
}

/** Whether an object of this kind holds secrets by its nature. */
export function isSecret(gvk: { group: string; kind: string }): boolean {
  return gvk.kind === 'Secret' && gvk.group === '';
}

function waitOf(answer: Answer, status: Status | undefined, now: number): number | undefined {
  const header = answer.headers['retry-after'];
  if (header !== undefined) {
    const wait = retryAfter(new Headers({ 'retry-after': header }), now);
    if (wait !== undefined) return wait;
  }
  const seconds = status?.details?.retryAfterSeconds;
  return seconds === undefined || seconds <= 0 ? undefined : seconds * 1_000;
}

function withoutValues(status: Status, code: number, values: readonly string[]): Status {
  const { details, message = '', ...rest } = status;
  const causes = (details?.causes ?? []).map(({ reason, field }) => ({
    ...(reason === undefined ? {} : { reason }),
    ...(field === undefined ? {} : { field: redact(field, values) }),
  }));
  const named = causes.map(({ field, reason }) => `${field ?? ''} (${reason ?? '?'})`);
  for (const [, field = '', fault = ''] of message.matchAll(SCHEMA_FAULT)) named.push(`${field} (${fault})`);
  const withheld = [
    `${status.reason || code}${named.length === 0 ? '' : `: ${named.join(', ')}`}`,
    "the server's message is withheld because it may quote the Secret",
  ].join('; ');
  return {
    ...rest,
    message: ECHOING.has(code) ? withheld : redact(message, values),
    ...(details === undefined ? {} : { details: { ...details, causes } }),
  };
}

function reasonOf(answer: Answer, status: Status | undefined, secret: boolean): string {
  if (answer.code >= 300 && answer.code < 400) {
    return `the server answered with a redirect (${answer.code}), which is not followed; the address of the cluster must be the API server itself`;
  }
  if (status?.message) return status.message;
  if (status?.reason) return status.reason;
  const text = secret ? '' : answer.body.toString('utf8', 0, 300).replace(/\s+/g, ' ').trim();
  return text === '' ? `HTTP ${answer.code}` : `HTTP ${answer.code}: ${text}`;
}
