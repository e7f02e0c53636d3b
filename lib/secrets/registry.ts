import { awsSm } from './aws-sm.ts';
import { env } from './env.ts';
import { file } from './file.ts';
import type { SecretScheme } from './scheme.ts';
import { ssm } from './ssm.ts';

/** Where secrets can be kept, by the scheme of their references. */
export const schemes: Readonly<Record<string, SecretScheme>> = {
  env,
  file,
  'aws-sm': awsSm,
  ssm,
};

/** How references are written, for errors and documentation: `env:NAME, file:PATH or …`. */
export const examples: string = listOf(Object.values(schemes).map(({ example }) => example));

/** By hand, since every function has this at its start: `Intl` loads the rules of a language first. */
function listOf(texts: readonly string[]): string {
  return `${texts.slice(0, -1).join(', ')} or ${texts.at(-1)}`;
}
