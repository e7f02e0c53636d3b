import { redact } from '../core/redact.ts';

/**
 * Why a registry did not give what it was asked for:
 * - `refused`: our own rules forbid it (network policy, another host); trying again is pointless,
 * - `auth`: it wants other credentials, or the credentials are no good,
 * - `not-found`: there is no such repository or tag, or it is hidden from us,
 * - `rate-limited`: it wants fewer requests; `retryAfter` says for how long where it told,
 * - `unavailable`: no complete answer came, or a fault on its side; it may pass,
 * - `protocol`: its answer makes no sense, or is too large.
 */
export type RegistryFault = 'refused' | 'auth' | 'not-found' | 'rate-limited' | 'unavailable' | 'protocol';

/** A registry did not give what it was asked for. The message names the registry; secrets are removed from it. */
export class RegistryError extends Error {
  override readonly name = 'RegistryError';
  readonly fault: RegistryFault;
  /** How long not to ask again, in ms; undefined when the registry said nothing. */
  readonly retryAfter: number | undefined;

  constructor(
    fault: RegistryFault,
    message: string,
    options: { retryAfter?: number | undefined; cause?: unknown; secrets?: readonly string[] } = {},
  ) {
    super(
      redact(message, options.secrets),
      options.cause === undefined ? undefined : { cause: options.cause },
    );
    this.fault = fault;
    this.retryAfter = options.retryAfter;
  }
}
