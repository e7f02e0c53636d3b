import { redact } from '../core/redact.ts';

/**
 * What a provider's refusal means:
 * - `rate-limited`: wait at least `retryAfter`,
 * - `transient`: a fault that may pass,
 * - `unauthorized`: the credential is wrong or may not do this; nothing will work until it is changed,
 * - `gone`: the commit or repository is not there, or not visible to this credential,
 * - `rejected`: any other refusal; the same request will be refused again.
 */
export type ForgeErrorKind = 'rate-limited' | 'transient' | 'unauthorized' | 'gone' | 'rejected';

/** A call to a Git provider failed. Secrets are removed from the message. */
export class ForgeError extends Error {
  override readonly name = 'ForgeError';
  readonly kind: ForgeErrorKind;
  /** When to try again at the earliest, in ms from now; always set for `rate-limited`. */
  readonly retryAfter: number | undefined;

  constructor(
    kind: ForgeErrorKind,
    message: string,
    options: { retryAfter?: number | undefined; cause?: unknown; secrets?: readonly string[] } = {},
  ) {
    super(
      redact(message, options.secrets),
      options.cause === undefined ? undefined : { cause: options.cause },
    );
    this.kind = kind;
    this.retryAfter = options.retryAfter;
  }
}
