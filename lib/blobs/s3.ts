import {
  DeleteObjectCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  type S3Client,
} from '@aws-sdk/client-s3';
import type { Blobs } from './blobs.ts';
import { checkKey, checkPrefix } from './check-key.ts';

/** How often a write is tried that meets another one of the same key. */
const ATTEMPTS = 5;

/**
 * Statuses of a key that is not there: 403 for those who may not list the bucket, as roles that reach a prefix alone. Who may not read what is
 * there either is told so by the write that follows. https://docs.aws.amazon.com/AmazonS3/latest/API/API_HeadObject.html
 */
const ABSENT = [403, 404];

/** Where the blobs are. */
export interface S3BlobsOptions {
  client: S3Client;
  bucket: string;
  /** Stands before every key, such as `artifacts/`. Default: nothing. */
  prefix?: string;
}

/** Blobs as objects of an S3 bucket. */
export function s3Blobs({ client, bucket, prefix = '' }: S3BlobsOptions): Blobs {
  function target(key: string): { Bucket: string; Key: string } {
    checkKey(key);
    return { Bucket: bucket, Key: `${prefix}${key}` };
  }

  async function has(key: string): Promise<boolean> {
    return (await unlessStatus(ABSENT, client.send(new HeadObjectCommand(target(key))))) !== undefined;
  }

  return {
    async put(key, data) {
      for (let attempt = 1; ; attempt += 1) {
        // A look first, since most blobs are there already and the upload costs more.
        if (await has(key)) return;
        try {
          // 412: another writer was faster.
          const put = new PutObjectCommand({ ...target(key), Body: data, IfNoneMatch: '*' });
          await unlessStatus([412], client.send(put));
          return;
        } catch (error) {
          // 409: another writer or a delete is at it right now.
          if (statusOf(error) !== 409 || attempt === ATTEMPTS) throw error;
        }
      }
    },
    async get(key) {
      const answer = await unlessStatus(ABSENT, client.send(new GetObjectCommand(target(key))));
      return answer?.Body?.transformToByteArray();
    },
    has,
    async delete(key) {
      await client.send(new DeleteObjectCommand(target(key)));
    },
    async *list(keyPrefix) {
      checkPrefix(keyPrefix);
      let token: string | undefined;
      do {
        const page = await client.send(
          new ListObjectsV2Command({
            Bucket: bucket,
            Prefix: `${prefix}${keyPrefix}`,
            ContinuationToken: token,
          }),
        );
        for (const { Key = '', Size = 0, LastModified } of page.Contents ?? []) {
          yield { key: Key.slice(prefix.length), size: Size, modifiedAt: LastModified?.getTime() ?? 0 };
        }
        token = page.NextContinuationToken;
      } while (token !== undefined);
    },
  };
}

/** Undefined when S3 answers with one of these HTTP statuses. */
async function unlessStatus<T>(statuses: readonly number[], sending: Promise<T>): Promise<T | undefined> {
  try {
    return await sending;
  } catch (error) {
    if (statuses.includes(statusOf(error))) return undefined;
    throw error;
  }
}

/** The HTTP status of an answer that the SDK threw; 0 when there was none. */
function statusOf(error: unknown): number {
  return (error as { $metadata?: { httpStatusCode?: number } }).$metadata?.httpStatusCode ?? 0;
}
