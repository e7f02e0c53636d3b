import * as z from 'zod';
import { examples, schemes } from './registry.ts';

const names = Object.keys(schemes);

/** A reference to a secret, such as `env:GITHUB_TOKEN`; the text is never a secret itself. */
export const SecretReference = z
  .string()
  .regex(new RegExp(`^(?:${names.join('|')}):\\S.*$`), {
    error: `must be a reference to a secret (${examples}), not the secret itself`,
  })
  .describe(`Where the secret is: ${examples}.`);
export type SecretReference = z.infer<typeof SecretReference>;
