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
export const examples: string = new Intl.ListFormat('en', { type: 'disjunction', style: 'long' })
  .format(Object.values(schemes).map(({ example }) => example))
  .replace(', or ', ' or ');
