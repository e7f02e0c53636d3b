import { directoryBlobs } from '../../lib/blobs/directory.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { blobsContract } from './blobs.ts';

blobsContract('blobs in a folder', async () => {
  const directory = await temporaryDirectory();
  return { blobs: await directoryBlobs(directory.path), close: directory.remove };
});
