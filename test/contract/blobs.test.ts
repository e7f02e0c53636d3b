import { directoryBlobs } from '../../lib/blobs/directory.ts';
import { s3Blobs } from '../../lib/blobs/s3.ts';
import { startSqsAndS3 } from '../support/fauxqs.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { blobsContract } from './blobs.ts';

blobsContract('blobs in a folder', async () => {
  const directory = await temporaryDirectory();
  return { blobs: await directoryBlobs(directory.path), close: directory.remove };
});

blobsContract('blobs in S3', async () => {
  const server = await startSqsAndS3();
  await server.createBucket('blobs');
  return {
    blobs: s3Blobs({ aws: async () => server.aws, bucket: 'blobs', prefix: 'slipway/' }),
    close: server.stop,
  };
});
