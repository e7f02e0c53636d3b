import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { s3Blobs } from '../../../lib/blobs/s3.ts';
import { pageOf } from '../../../lib/blobs/s3-page.ts';
import type { AwsRequest } from '../../../lib/cloud/aws-api.ts';
import { AwsError } from '../../../lib/cloud/aws-fault.ts';

/** Blobs over an S3 that answers what it is told to. */
function blobsOver(...answers: (number | AwsError)[]) {
  const requests: AwsRequest[] = [];
  const send = async (request: AwsRequest) => {
    requests.push(request);
    const answer = answers.shift() ?? 200;
    if (typeof answer !== 'number') throw answer;
    return { status: answer, body: new Uint8Array([1]) };
  };
  return { requests, blobs: s3Blobs({ aws: async () => ({ send }), bucket: 'b', prefix: 'artifacts/' }) };
}

const conflict = new AwsError('ConditionalRequestConflict', 409, 's3 answered 409');

describe('blobs in S3', () => {
  test('are stored with their digest, and never over another one', async () => {
    const { blobs, requests } = blobsOver(404, 200);
    await blobs.put('a/b', Buffer.from('x'));
    expect(requests).toMatchObject([
      { service: 's3', method: 'HEAD', path: '/b/artifacts/a/b' },
      {
        method: 'PUT',
        headers: {
          'if-none-match': '*',
          'x-amz-content-sha256': createHash('sha256').update('x').digest('hex'),
        },
      },
    ]);
  });

  test('are stored by whoever is first, and tried again while another one is at it', async () => {
    await blobsOver(404, 412).blobs.put('a', Buffer.from('x'));
    const busy = blobsOver(404, conflict, 404, 200);
    await busy.blobs.put('a', Buffer.from('x'));
    expect(busy.requests).toHaveLength(4);
    const stuck = blobsOver(...Array.from({ length: 10 }, (_, index) => (index % 2 ? conflict : 404)));
    await expect(stuck.blobs.put('a', Buffer.from('x'))).rejects.toThrow('409');
    expect(stuck.requests).toHaveLength(10);
  });

  test('that may not be read count as absent, and what else fails is told', async () => {
    for (const status of [403, 404]) {
      expect(await blobsOver(status).blobs.get('a')).toBeUndefined();
      expect(await blobsOver(status).blobs.has('a')).toBe(false);
    }
    const denied = () => blobsOver(new AwsError('AccessDenied', 403, 's3 answered 403 AccessDenied')).blobs;
    await expect(denied().delete('a')).rejects.toThrow('AccessDenied');
    await expect(denied().list('')[Symbol.asyncIterator]().next()).rejects.toThrow('AccessDenied');
  });
});

const OBJECT =
  '<Contents><Key>a&amp;b&#39;&#x4e;</Key><LastModified>2026-01-02T03:04:05.000Z</LastModified><Size>7</Size></Contents>';

describe('a page of a list in S3', () => {
  test('is read with its keys as they are', () => {
    const next = '<IsTruncated>true</IsTruncated><NextContinuationToken>x+/=&amp;</NextContinuationToken>';
    expect(pageOf(`<ListBucketResult xmlns="x">${next}${OBJECT}${OBJECT}</ListBucketResult>`)).toEqual({
      blobs: Array.from({ length: 2 }, () => ({
        key: "a&b'N",
        size: 7,
        modifiedAt: Date.UTC(2026, 0, 2, 3, 4, 5),
      })),
      next: 'x+/=&',
    });
    expect(pageOf('<ListBucketResult></ListBucketResult>')).toEqual({ blobs: [], next: undefined });
  });

  test.each([
    ['of something else', '<html></html>'],
    ['that was cut off', `<ListBucketResult>${OBJECT}`],
    [
      'that does not say how it goes on',
      '<ListBucketResult><IsTruncated>true</IsTruncated></ListBucketResult>',
    ],
    ['of nothing', ''],
  ])('%s is an error, and not the end of the list', (_, xml) => {
    expect(() => pageOf(xml)).toThrow(/^S3 /);
  });
});
