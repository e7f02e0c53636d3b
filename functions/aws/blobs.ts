import type { Blobs } from '../../lib/blobs/blobs.ts';
import { s3Blobs } from '../../lib/blobs/s3.ts';
import { lazyAwsApi } from '../open-aws-api.ts';
import type { Environment } from './environment.ts';

/** The bucket of the installation. */
export function openBlobs({ bucket }: Environment): Blobs {
  return s3Blobs({ aws: lazyAwsApi(), bucket });
}
