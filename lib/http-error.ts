import { redact } from './core/redact.ts';

/**
 * Why a request has no usable answer:
 * - `refused`: our own rules forbid it (network policy, scheme, redirect); trying again is pointless,
 * - `timeout`, `network`: no complete answer came; it may have been carried out,
 * - `too-large`: the answer is over the limit.
 */
export type HttpErrorKind = 'refused' | 'timeout' | 'network' | 'too-large';

/** A request that got no usable answer. Answers with any status are no errors. Secrets are removed from the message. */
export class HttpError extends Error {
  override readonly name = 'HttpError';
  readonly kind: HttpErrorKind;

  constructor(
    kind: HttpErrorKind,
    message: string,
    options: { cause?: unknown; secrets?: readonly string[] } = {},
  ) {
    super(
      redact(message, options.secrets),
      options.cause === undefined ? undefined : { cause: options.cause },
    );
    this.kind = kind;
  }
}
