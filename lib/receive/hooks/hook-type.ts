import type { ReceiverOidcProvider } from '../../store/receivers.ts';
import type { IdTokens } from '../id-token.ts';
import type { Delivery } from '../receiver.ts';
import type { RegistryReceived } from '../registries/registry-type.ts';

/** What stands in the Secret of a Receiver. */
export interface HookSecret {
  token: string;
  /** For the type gcr. */
  email?: string;
  audience?: string;
}

/** What a call is verified with. */
export interface HookProof {
  secret: HookSecret;
  oidcProviders: readonly ReceiverOidcProvider[];
  tokens: IdTokens;
  /**
   * Whether the claims of a token fulfil a provider's expressions.
   * @returns what they fail, in the words of the Receiver; empty when they do
   */
  checkClaims(
    provider: ReceiverOidcProvider,
    claims: Readonly<Record<string, unknown>>,
  ): Promise<readonly string[]>;
}

/** Whether a call may do what it asks for. */
export type HookVerdict =
  | { ok: true; claims?: Readonly<Record<string, unknown>> }
  /** `why` is told to the caller. */
  | { ok: false; why: string };

/**
 * A type of `Receiver` objects: how its calls are verified and read. One file a type plus a line in `registry.ts`; all pass
 * `test/contract/hook.ts`.
 */
export interface HookType {
  /**
   * Whether the call was made by who it should be. Odd input is refused, never thrown for.
   * @throws IssuerUnavailable when the keys of a token's issuer cannot be read
   */
  verify(delivery: Delivery, proof: HookProof): Promise<HookVerdict>;
  /**
   * The names by which `spec.events` may call the event; absent where a type has none, so that `spec.events` has no effect, as with Flux.
   * @param payload as `read` gives it
   */
  events?(headers: Headers, payload: unknown): readonly string[];
  /** Whether a call only tries whether somebody is there. */
  isPing?(headers: Headers): boolean;
  /**
   * The sender's id of this delivery, the same when it is delivered again; undefined when there is none.
   * @param payload as `read` gives it
   */
  deliveryId(delivery: Delivery, payload: unknown): string | undefined;
  /**
   * What filters see as `req`.
   * @throws PayloadError when it cannot be read
   */
  read(delivery: Delivery): unknown;
  /**
   * Which tags of images a call tells of; absent where a type tells of none.
   * @param payload as `read` gives it
   * @param host the registry that is asked about
   * @throws PayloadError when it tells of something else
   */
  pushed?(payload: unknown, host: string): RegistryReceived;
}
