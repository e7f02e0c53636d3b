/** The secret that a sender puts into a header: `Authorization`, with or without `Bearer`, or `X-Api-Key`. */
export function sentToken(headers: Headers): string | null {
  const authorization = headers.get('authorization');
  return authorization === null ? headers.get('x-api-key') : authorization.replace(/^bearer +/i, '');
}
