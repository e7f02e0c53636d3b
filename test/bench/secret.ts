/** The secret of webhooks. */
export const SECRET = 'bench-secret';
