import type { Http } from '../http.ts';

/** A Git provider as the fleet file describes it; secrets are references still. */
export interface ForgeConfig {
  type: string;
  /** Base URL of its pages, without a slash at its end. */
  url: string;
  /** Where its API is; derived from `url` when absent. */
  apiUrl?: string;
  username?: string;
  /** Reference of the token. */
  token?: string;
  /** A GitHub App: ids, and the reference of its private key in PEM. */
  app?: { id: string; installationId?: string; privateKey: string };
}

/** What a forge works with. */
export interface ForgeDependencies {
  http: Http;
  /** Reads the secret behind a reference; asked again for each call, so that a rotated one is used at once. */
  secret(reference: string): Promise<string>;
  /** Epoch in ms. */
  now(): number;
}
