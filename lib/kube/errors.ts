import { redact } from '../core/redact.ts';

/** The `Status` object in which an API server says why it refused. https://kubernetes.io/docs/reference/using-api/api-concepts */
export interface Status {
  kind?: string;
  message?: string;
  reason?: string;
  code?: number;
  details?: {
    name?: string;
    kind?: string;
    group?: string;
    causes?: { reason?: string; message?: string; field?: string }[];
    retryAfterSeconds?: number;
  };
}

/** The API server refused a request, or could not be reached (`code` 0). */
export class KubeError extends Error {
  override readonly name = 'KubeError';
  /** HTTP status; 0 when no answer came. */
  readonly code: number;
  /** The reason of the Status, such as `NotFound`, `Conflict`, `Invalid`, `Forbidden`. */
  readonly reason: string;
  readonly status: Status | undefined;
  /** What the server asked us to wait, in ms. */
  readonly retryAfter: number | undefined;

  /** @param message what was asked and what the server said; secrets are removed */
  constructor(
    code: number,
    message: string,
    options: { status?: Status; retryAfter?: number; cause?: unknown; secrets?: readonly string[] } = {},
  ) {
    super(
      redact(message, options.secrets),
      options.cause === undefined ? undefined : { cause: options.cause },
    );
    this.code = code;
    this.reason = options.status?.reason ?? '';
    this.status = options.status;
    this.retryAfter = options.retryAfter;
  }
}

/** The object does not exist. */
export function isNotFound(error: unknown): boolean {
  return error instanceof KubeError && error.code === 404;
}

/** Somebody changed the object in between, or an apply met fields of another manager. */
export function isConflict(error: unknown): boolean {
  return error instanceof KubeError && error.code === 409;
}

/** The object breaks its schema or a rule of the server. */
export function isInvalid(error: unknown): boolean {
  return error instanceof KubeError && (error.code === 422 || error.code === 400);
}

/** A fault that may pass: no answer, throttled, or the server's own error. */
export function isTransient(error: unknown): boolean {
  return error instanceof KubeError && (error.code === 0 || error.code === 429 || error.code >= 500);
}
