import * as v from 'valibot';

/** A verified payload cannot be read. The message names fields and never repeats what they hold. */
export class PayloadError extends Error {
  override readonly name = 'PayloadError';
}

/**
 * Reads a payload by its schema.
 * @throws PayloadError naming the first field that is wrong
 */
export function readPayload<S extends v.GenericSchema>(schema: S, payload: unknown): v.InferOutput<S> {
  const result = v.safeParse(schema, payload, { abortEarly: true });
  if (result.success) return result.output;
  // The messages of the issues repeat what was sent.
  const path = v.getDotPath(result.issues[0]);
  throw new PayloadError(`the payload is not as expected${path === null ? '' : ` at ${path}`}`);
}
