import * as z from 'zod';
import { schemes } from './registry.ts';

const names = Object.keys(schemes);
const examples = Object.values(schemes).map(({ example }) => example);

/** A reference to a secret, such as `env:GITHUB_TOKEN`; the text is never a secret itself. */
export const SecretReference = z
  .string()
  .regex(new RegExp(`^(?:${names.join('|')}):\\S.*$`), {
    error: `must be a reference to a secret (${examples.join(' or ')}), not the secret itself`,
  })
  .describe(`Where the secret is: ${examples.join(' or ')}.`);
export type SecretReference = z.infer<typeof SecretReference>;
