import { LRUCache } from 'lru-cache';
import type { TlsOptions } from '../connector.ts';
import { digestOf } from '../core/digest.ts';
import type { ImageName } from '../core/image-name.ts';
import { createHttp, type Http } from '../http.ts';
import type { NetworkPolicy } from '../network.ts';
import type { CredentialEntry } from './docker-config.ts';
import { type Manifest, readManifest, resolveTag } from './manifest.ts';
import { RegistrySession, type SharedState } from './session.ts';
import { listTags, type TagList } from './tags.ts';

/** How to reach an image: what the object that names it says. */
export interface ImageAccess {
  credentials: readonly CredentialEntry[];
  /** Whether the registry may be spoken to without TLS, where it has none. */
  insecure: boolean;
  tls?: TlsOptions;
  /** `http://[user:password@]host:port` */
  proxy?: string;
  /** Ends all requests. */
  signal: AbortSignal;
}

/** An image in a registry. All methods throw {@link RegistryError}. */
export interface RemoteImage {
  /** All tags; undefined when the list is still the one with this validator. */
  tags(validator?: string): Promise<TagList | undefined>;
  /** The digest that a tag points at; undefined when there is no such tag. */
  resolve(tag: string): Promise<string | undefined>;
  /** A manifest by tag or digest, checked; undefined when there is none. */
  manifest(reference: string): Promise<Manifest | undefined>;
}

/** Registries, as one process reaches them. */
export interface Registries {
  open(image: ImageName, access: ImageAccess): RemoteImage;
  close(): Promise<void>;
}

/** Connections with certificates or a proxy of their own that are kept open. */
const MAX_CLIENTS = 32;
const MAX_ENTRIES = 10_000;

/** Makes the client of all registries. Tokens, pauses and connections are shared by equal credentials. */
export function createRegistries(options: {
  policy: NetworkPolicy;
  /** Of a single request, in ms. */
  timeoutMs: number;
  userAgent: string;
  /** Epoch in ms. */
  now(): number;
}): Registries {
  const { policy, timeoutMs, userAgent, now } = options;
  const shared: SharedState = {
    authorizations: new LRUCache({ max: MAX_ENTRIES }),
    pauses: new LRUCache({ max: MAX_ENTRIES }),
    schemes: new LRUCache({ max: MAX_ENTRIES }),
  };
  const clients = new LRUCache<string, Http>({
    max: MAX_CLIENTS,
    dispose: (http) => void http.close().catch(() => undefined),
  });

  function clientFor({ tls, proxy }: ImageAccess): Http {
    const key = digestOf({ tls, proxy });
    const known = clients.get(key);
    if (known) return known;
    const more = { ...(tls === undefined ? {} : { tls }), ...(proxy === undefined ? {} : { proxy }) };
    const http = createHttp({ policy, timeoutMs, maxBytes: 1024 * 1024, userAgent, ...more });
    clients.set(key, http);
    return http;
  }

  return {
    open(image, access) {
      const { credentials, insecure, signal } = access;
      const http = clientFor(access);
      const session = new RegistrySession({ http, image, credentials, insecure, shared, now, signal });
      return {
        tags: (validator) => listTags(session, validator),
        resolve: (tag) => resolveTag(session, tag),
        manifest: (reference) => readManifest(session, reference),
      };
    },
    async close() {
      const open = [...clients.values()];
      clients.clear();
      await Promise.allSettled(open.map((http) => http.close()));
    },
  };
}
