import { directoryBlobs } from '../../lib/blobs/directory.ts';
import { s3Blobs } from '../../lib/blobs/s3.ts';
import { s3Put } from '../../lib/blobs/s3-put.ts';
import { createAwsApi } from '../../lib/cloud/aws-api.ts';
import { startSqsAndS3 } from '../support/fauxqs.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { blobsContract } from './blobs.ts';

blobsContract('blobs in a folder', async () => {
  const directory = await temporaryDirectory();
  return { blobs: await directoryBlobs(directory.path), close: directory.remove };
});

blobsContract('blobs in S3, put without the client of the SDK', async () => {
  const server = await startSqsAndS3();
  await server.createBucket('blobs');
  const aws = createAwsApi({
    region: 'us-east-1',
    credentials: async () => ({ accessKeyId: 'test', secretAccessKey: 'test' }),
    endpoint: () => server.endpoint,
    now: Date.now,
  });
  const { put } = s3Put({ aws, bucket: 'blobs' });
  return { blobs: { ...s3Blobs({ client: server.s3, bucket: 'blobs' }), put }, close: server.stop };
});

blobsContract('blobs in S3', async () => {
  const server = await startSqsAndS3();
  await server.createBucket('blobs');
  return { blobs: s3Blobs({ client: server.s3, bucket: 'blobs', prefix: 'slipway/' }), close: server.stop };
});
