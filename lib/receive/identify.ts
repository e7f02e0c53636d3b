/**
 * One name for a delivery and its redeliveries. The sender's id is not signed, so the body goes in as well: nobody can make a
 * delivery count as done by sending its id with other content.
 */
export async function identify(given: string | undefined, body: Uint8Array): Promise<string> {
  return `${(given ?? '').slice(0, 100)}:${(await hexDigest(body)).slice(0, 32)}`;
}

/** The SHA-256 of text or bytes in hex. */
export async function hexDigest(data: string | Uint8Array): Promise<string> {
  const bytes = typeof data === 'string' ? new TextEncoder().encode(data) : new Uint8Array(data);
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', bytes));
  return [...digest].map((byte) => byte.toString(16).padStart(2, '0')).join('');
}
