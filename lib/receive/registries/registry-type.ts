import type { IdTokens } from '../id-token.ts';
import type { Delivery } from '../receiver.ts';

/** A container registry of the fleet file as far as its webhooks matter. */
export interface WebhookRegistry {
  type: string;
  /** Host of its images, canonical. */
  host: string;
  /** The secrets that are valid now; two while they are being rotated. Without any, nothing is accepted. */
  secrets(): Promise<readonly string[]>;
  /** For tokens of an identity: who they must be from and for. */
  identity?: { email: string; audience: string };
}

/** A tag that was pushed. A hint: it is asked of the registry before anything is made of it. */
export interface ImagePush {
  /** Every name that the image may go by, canonical and at the registry's own host. Never empty. */
  images: string[];
  tag: string;
}

/** What a delivery says. */
export type RegistryReceived =
  | { kind: 'push'; pushes: ImagePush[] }
  | { kind: 'ping' }
  | { kind: 'ignored'; why: string }
  /** It speaks of images at other hosts alone. */
  | { kind: 'forbidden' };

/** A proof of who sent a delivery, other than a secret in its path. */
export interface Proof {
  secrets: readonly string[];
  identity: WebhookRegistry['identity'];
  tokens: IdTokens;
}

/**
 * A registry's way of sending webhooks. One file a type plus a line in `registry.ts`; all pass `test/contract/registry.ts`.
 */
export interface RegistryType {
  /** The secret may be the last part of the path, since the registry cannot sign. */
  secretInPath: boolean;
  /**
   * Whether the request was sent by somebody who holds one of the secrets, or by the registry's identity. False for anything odd.
   * Absent where the registry can send no header either.
   * @throws IssuerUnavailable when the keys of an identity's issuer cannot be read
   */
  verify?(delivery: Delivery, proof: Proof): Promise<boolean>;
  /** The sender's id of this delivery, the same when it is delivered again; undefined when there is none. */
  deliveryId(headers: Headers, payload: unknown): string | undefined;
  /**
   * Reads a verified payload.
   * @param host of the registry's images
   * @throws PayloadError when it is not what the registry documents
   */
  parse(headers: Headers, payload: unknown, host: string): RegistryReceived;
}
