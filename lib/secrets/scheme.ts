import type { AwsApi } from '../cloud/aws-api.ts';

/** What a reference may be resolved with. */
export interface SecretContext {
  /** Relative paths of `file:` start here: the directory of the fleet file. */
  baseDirectory: string;
  /** The environment variables of the process. */
  env: Readonly<Record<string, string | undefined>>;
  /** Calls to AWS, with the credentials of the process; asked for by the first secret that needs it. */
  aws(): Promise<AwsApi>;
}

/** A place where secrets are kept. One file a scheme, plus a line in `registry.ts`. */
export interface SecretScheme {
  /** Shown in errors and in the documentation, such as `env:NAME`. */
  example: string;
  /**
   * Reads the secret that the reference names after its scheme.
   * @throws Error whose message says why it cannot be read; it must not hold any part of the secret
   */
  read(name: string, context: SecretContext): Promise<string>;
}
