import { env } from './env.ts';
import { file } from './file.ts';
import type { SecretScheme } from './scheme.ts';

/** Where secrets can be kept, by the scheme of their references. */
export const schemes: Readonly<Record<string, SecretScheme>> = { env, file };
