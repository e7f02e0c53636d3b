/**
 * Settings of Node's HTTP server for the webhook edge: whoever sends headers or a body drop by drop is cut off, and nobody else
 * waits for it. https://nodejs.org/api/http.html#httpcreateserveroptions-requestlistener
 */
export const serverOptions = {
  /** For all headers, in ms. */
  headersTimeout: 10_000,
  /** For the whole request, in ms; a little more than the edge gives a body, which answers 408 first. */
  requestTimeout: 35_000,
  /** How often both are looked at, in ms. */
  connectionsCheckingInterval: 2_000,
  /** In bytes. */
  maxHeaderSize: 32 * 1024,
} as const;
