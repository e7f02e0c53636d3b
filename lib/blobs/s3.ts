import { createHash } from 'node:crypto';
import type { AwsApi, AwsRequest } from '../cloud/aws-api.ts';
import { AwsError } from '../cloud/aws-fault.ts';
import type { Blobs } from './blobs.ts';
import { checkKey, checkPrefix } from './check-key.ts';
import { pageOf } from './s3-page.ts';

/** How often a write is tried that meets another one of the same key. */
const ATTEMPTS = 5;

/**
 * Statuses of a key that is not there: 403 for those who may not list the bucket, as roles that reach a prefix alone. Who may not read what is
 * there either is told so by the write that follows. https://docs.aws.amazon.com/AmazonS3/latest/API/API_HeadObject.html
 */
const ABSENT = [403, 404];

/** How much longer than other calls one with a blob may take, in ms: that is for the largest of them on a slow line. */
const TRANSFER_MS = 290_000;

/** Where the blobs are. */
export interface S3BlobsOptions {
  /** Opens what calls are signed and sent with. */
  aws: () => Promise<Pick<AwsApi, 'send'>>;
  bucket: string;
  /** Stands before every key, such as `artifacts/`. Default: nothing. */
  prefix?: string;
}

/** Blobs as objects of an S3 bucket. */
export function s3Blobs({ aws, bucket, prefix = '' }: S3BlobsOptions): Blobs {
  async function send(key: string, request: Omit<AwsRequest, 'service' | 'path'>) {
    checkKey(key);
    // The bucket stands in the path: servers that stand in for S3 know no host name for each.
    const path = `/${bucket}/${prefix}${key}`;
    return (await aws()).send({ service: 's3', path, waitMs: TRANSFER_MS, ...request });
  }

  async function has(key: string): Promise<boolean> {
    const { status } = await send(key, { method: 'HEAD', expected: ABSENT });
    return !ABSENT.includes(status);
  }

  return {
    async put(key, data) {
      // S3 refuses bytes that are not those of the digest, so that nothing is stored that was damaged on its way.
      const digest = createHash('sha256').update(data).digest('hex');
      const headers = {
        'content-type': 'application/octet-stream',
        'if-none-match': '*',
        'x-amz-content-sha256': digest,
      };
      for (let attempt = 1; ; attempt += 1) {
        // A look first, since most blobs are there already and the upload costs more.
        if (await has(key)) return;
        try {
          // 412: another writer was faster.
          await send(key, { method: 'PUT', headers, body: data, expected: [412] });
          return;
        } catch (error) {
          // 409: another writer or a delete is at it right now.
          if (!(error instanceof AwsError) || error.status !== 409 || attempt === ATTEMPTS) throw error;
        }
      }
    },
    async get(key) {
      const { status, body } = await send(key, { method: 'GET', expected: ABSENT });
      return ABSENT.includes(status) ? undefined : body;
    },
    has,
    async delete(key) {
      await send(key, { method: 'DELETE' });
    },
    async *list(keyPrefix) {
      checkPrefix(keyPrefix);
      let token: string | undefined;
      do {
        const query = {
          'list-type': '2',
          prefix: `${prefix}${keyPrefix}`,
          ...(token === undefined ? {} : { 'continuation-token': token }),
        };
        const { body } = await (await aws()).send({ service: 's3', path: `/${bucket}`, query });
        const page = pageOf(new TextDecoder().decode(body));
        for (const { key, ...rest } of page.blobs) yield { key: key.slice(prefix.length), ...rest };
        token = page.next;
      } while (token !== undefined);
    },
  };
}
