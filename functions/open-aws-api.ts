import type { AwsApi } from '../lib/cloud/aws-api.ts';

/**
 * As `openAwsApi`, of which nothing is loaded before the first call asks for it, since most installations need none.
 * @param region that of the installation, if the fleet file names it: its secrets are there, whatever this shell is set to
 */
export function lazyAwsApi(region?: string): () => Promise<AwsApi> {
  let opened: Promise<AwsApi> | undefined;
  return () => {
    opened ??= import('./aws-api.ts').then(({ openAwsApi }) => openAwsApi(region));
    return opened;
  };
}
