import type { z } from 'zod';

/** A verified payload cannot be read. The message names fields and never repeats what they hold. */
export class PayloadError extends Error {
  override readonly name = 'PayloadError';
}

/**
 * Reads a payload by its schema.
 * @throws PayloadError naming the first field that is wrong
 */
export function readPayload<T extends z.ZodType>(schema: T, payload: unknown): z.output<T> {
  const result = schema.safeParse(payload);
  if (result.success) return result.data;
  const issue = result.error.issues[0];
  const path = issue?.path.map(String).join('.') ?? '';
  throw new PayloadError(`the payload is not as expected${path === '' ? '' : ` at ${path}`}`);
}
