import process from 'node:process';
import { S3Client } from '@aws-sdk/client-s3';
import type { Blobs } from '../../lib/blobs/blobs.ts';
import { s3Blobs } from '../../lib/blobs/s3.ts';
import type { Environment } from './environment.ts';

/** The bucket, and the end of its connections. */
export interface OpenBlobs {
  blobs: Blobs;
  close(): void;
}

/** The bucket of the installation. */
export function openBlobs({ bucket }: Environment): OpenBlobs {
  const { AWS_ENDPOINT_URL, AWS_ENDPOINT_URL_S3 } = process.env;
  // Servers that stand in for S3 know no host name for each bucket.
  const client = new S3Client({ forcePathStyle: (AWS_ENDPOINT_URL_S3 ?? AWS_ENDPOINT_URL) !== undefined });
  return { blobs: s3Blobs({ client, bucket }), close: () => client.destroy() };
}
