import type { AwsApi } from '../cloud/aws-api.ts';
import { AwsError } from '../cloud/aws-fault.ts';
import type { Blobs } from './blobs.ts';
import { checkKey } from './check-key.ts';

/** Where blobs are put. */
export interface S3PutOptions {
  aws: Pick<AwsApi, 'call'>;
  bucket: string;
}

/** As with `s3.ts`: 403 where the bucket may not be listed. */
const ABSENT = [403, 404];

/** Puts blobs into an S3 bucket, for those who read none and have no room for the SDK's client. */
export function s3Put({ aws, bucket }: S3PutOptions): Pick<Blobs, 'put'> {
  return {
    async put(key, data) {
      checkKey(key);
      const target = { service: 's3', path: `/${bucket}/${key}` };
      if (await succeeds(ABSENT, aws.call({ ...target, method: 'HEAD' }))) return;
      // 412: another writer was faster.
      const headers = { 'content-type': 'application/octet-stream', 'if-none-match': '*' };
      await succeeds([412], aws.call({ ...target, method: 'PUT', headers, body: data }));
    },
  };
}

/** False when S3 answers with one of these HTTP statuses. */
async function succeeds(statuses: readonly number[], calling: Promise<unknown>): Promise<boolean> {
  try {
    await calling;
    return true;
  } catch (error) {
    if (error instanceof AwsError && statuses.includes(error.status)) return false;
    throw error;
  }
}
