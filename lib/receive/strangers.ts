import { RecentlyUsed } from '../core/recently-used.ts';

/** What a limit on requests without a valid signature may be given. */
export interface StrangersOptions {
  /** Epoch in ms. */
  now(): number;
  /** So many failures in a row are answered as usual. Default 60. */
  burst?: number;
  /** One more is forgiven after so many ms. Default 1 s. */
  forgiveMs?: number;
  /** Of so many addresses the failures are remembered, those seen last; a bound to the memory. Default 10,000. */
  addresses?: number;
}

/** What a failure means for the address it came from. */
export type Standing = 'first' | 'known' | 'limited';

/**
 * Counts the requests that had no valid signature by the address they came from (a leaky bucket each). Valid ones are none of its
 * business: behind a proxy or a shared address a provider's webhooks come from where the attacker's do.
 */
export class Strangers {
  readonly #options: Required<StrangersOptions>;
  /** The moment at which all failures of an address are forgiven, epoch in ms. */
  readonly #forgivenAt: RecentlyUsed<number>;

  constructor({ burst = 60, forgiveMs = 1_000, addresses = 10_000, now }: StrangersOptions) {
    this.#options = { burst, forgiveMs, addresses, now };
    this.#forgivenAt = new RecentlyUsed(addresses);
  }

  /** Whether an address has used up its failures. */
  isLimited(address: string): boolean {
    return this.retryAfterMs(address) > 0;
  }

  /** Counts a failure. `first` when there was none that is not forgiven, `limited` from the one that is too many on. */
  failed(address: string): Standing {
    const { now, forgiveMs } = this.#options;
    const key = networkOf(address);
    const before = this.#forgivenAt.get(key) ?? 0;
    const time = now();
    if (this.isLimited(address)) return 'limited';
    this.#forgivenAt.set(key, Math.max(before, time) + forgiveMs);
    return before <= time ? 'first' : 'known';
  }

  /** How long until an address may fail again, in ms; 0 when it may. */
  retryAfterMs(address: string): number {
    const { now, burst, forgiveMs } = this.#options;
    const debt = (this.#forgivenAt.get(networkOf(address)) ?? 0) - now();
    return Math.max(0, debt - (burst - 1) * forgiveMs);
  }

  /** How many addresses are remembered. */
  get size(): number {
    return this.#forgivenAt.size;
  }
}

/** Whoever has an address of IPv6 has 2^64 of them: they count as one. https://www.rfc-editor.org/rfc/rfc6177 */
function networkOf(address: string): string {
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1];
  if (mapped !== undefined || !address.includes(':')) return mapped ?? address;
  const [head = '', tail] = address.toLowerCase().split('%')[0]?.split('::') ?? [];
  const start = head === '' ? [] : head.split(':');
  const end = tail === undefined || tail === '' ? [] : tail.split(':');
  const zeros = tail === undefined ? [] : Array<string>(Math.max(0, 8 - start.length - end.length)).fill('0');
  return [...start, ...zeros, ...end].slice(0, 4).join(':');
}
