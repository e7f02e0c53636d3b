import { examples, schemes } from './registry.ts';
import type { SecretContext, SecretScheme } from './scheme.ts';

/** A secret could not be read. The message names the reference and never holds the value. */
export class SecretError extends Error {
  override readonly name = 'SecretError';
  readonly reference: string;

  constructor(reference: string, why: string, cause?: unknown) {
    super(`cannot read the secret ${reference}: ${why}`, cause === undefined ? undefined : { cause });
    this.reference = reference;
  }
}

/**
 * Reads the secret that a reference names. One trailing line break is not part of it.
 * @param reference such as `env:NAME` or `file:PATH`
 * @throws SecretError when it cannot be read or is empty
 */
export async function resolveSecret(reference: string, context: SecretContext): Promise<string> {
  const colon = reference.indexOf(':');
  const word = reference.slice(0, Math.max(0, colon));
  const scheme = Object.hasOwn(schemes, word) ? schemes[word] : undefined;
  if (!scheme) {
    // What is no reference may be the secret itself.
    throw new SecretError('***', `it must be written as ${examples}`);
  }
  const value = await read(reference, reference.slice(colon + 1), scheme, context);
  const secret = value.replace(/\r?\n$/, '');
  if (secret === '') throw new SecretError(reference, 'it is empty');
  return secret;
}

async function read(
  reference: string,
  name: string,
  scheme: SecretScheme,
  context: SecretContext,
): Promise<string> {
  try {
    return await scheme.read(name, context);
  } catch (error) {
    throw new SecretError(reference, error instanceof Error ? error.message : String(error), error);
  }
}
