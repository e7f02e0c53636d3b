import type { SecretScheme } from './scheme.ts';

/** `env:NAME`: an environment variable. */
export const env: SecretScheme = {
  example: 'env:NAME',
  async read(name, context) {
    const value = context.env[name];
    if (value === undefined) throw new Error(`the environment variable ${name} is not set`);
    return value;
  },
};
