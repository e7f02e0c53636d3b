import { type Shape, ShapeError } from './shape.ts';

/** A verified payload cannot be read. The message names fields and never repeats what they hold. */
export class PayloadError extends Error {
  override readonly name = 'PayloadError';
}

/**
 * Reads a payload by its shape.
 * @throws PayloadError naming the first field that is wrong
 */
export function readPayload<T>(shape: Shape<T>, payload: unknown): T {
  try {
    return shape.parse(payload);
  } catch (error) {
    if (!(error instanceof ShapeError)) throw error;
    throw new PayloadError(`the payload is not as expected${error.path === '' ? '' : ` at ${error.path}`}`);
  }
}
