const encoder = new TextEncoder();

/** Name of the cookie. */
export const SESSION_COOKIE = 'slipway_session';

/** What the cookie holds: it proves knowledge of the token, cannot be turned back into it, and dies with it. */
export async function sessionOf(token: string): Promise<string> {
  const key = await crypto.subtle.importKey(
    'raw',
    encoder.encode(token),
    { name: 'HMAC', hash: 'SHA-256' },
    false,
    ['sign'],
  );
  const signature = await crypto.subtle.sign('HMAC', key, encoder.encode('slipway session'));
  return [...new Uint8Array(signature)].map((byte) => byte.toString(16).padStart(2, '0')).join('');
}

/** Whether two texts are equal, taking the same time wherever they differ. */
export async function sameText(a: string, b: string): Promise<boolean> {
  const [first, second] = await Promise.all([sessionOf(`x${a}`), sessionOf(`x${b}`)]);
  let difference = 0;
  for (let index = 0; index < first.length; index += 1)
    difference |= first.charCodeAt(index) ^ second.charCodeAt(index);
  return difference === 0;
}

/** A path of these pages and nothing else, so that signing in cannot lead away. */
export function localPath(path: string): string {
  return /^\/(?![/\\])[\w\-./?=&%+]*$/.test(path) ? path : '/';
}
