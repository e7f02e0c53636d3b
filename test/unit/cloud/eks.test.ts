import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type AwsApi, createAwsApi } from '../../../lib/cloud/aws-api.ts';
import { AwsError } from '../../../lib/cloud/aws-fault.ts';
import { eksConnection, eksToken } from '../../../lib/cloud/eks.ts';
import { ACCESS_KEY, type FakeAws, SECRET_KEY, startFakeAws } from '../../support/fake-aws.ts';
import { sha256, signatureOf } from '../../support/sigv4.ts';

const DATE = Date.UTC(2015, 7, 30, 12, 36, 0);
const EMPTY = sha256('');

describe('the signatures that the tests compare with', () => {
  test('are those that AWS publishes: a plain request', () => {
    const signature = signatureOf({
      method: 'GET',
      path: '/',
      query: [],
      headers: { host: 'example.amazonaws.com', 'x-amz-date': '20150830T123600Z' },
      payloadHash: EMPTY,
      date: '20150830T123600Z',
      region: 'us-east-1',
      service: 'service',
      secretKey: SECRET_KEY,
    });
    expect(signature).toBe('5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31');
  });

  test('are those that AWS publishes: a call with parameters', () => {
    const signature = signatureOf({
      method: 'GET',
      path: '/',
      query: [
        ['Version', '2010-05-08'],
        ['Action', 'ListUsers'],
      ],
      headers: {
        'content-type': 'application/x-www-form-urlencoded; charset=utf-8',
        host: 'iam.amazonaws.com',
        'x-amz-date': '20150830T123600Z',
      },
      payloadHash: EMPTY,
      date: '20150830T123600Z',
      region: 'us-east-1',
      service: 'iam',
      secretKey: SECRET_KEY,
    });
    expect(signature).toBe('5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7');
  });

  test('are those that AWS publishes: a URL that carries its signature', () => {
    const signature = signatureOf({
      method: 'GET',
      path: '/test.txt',
      query: [
        ['X-Amz-Algorithm', 'AWS4-HMAC-SHA256'],
        ['X-Amz-Credential', 'AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request'],
        ['X-Amz-Date', '20130524T000000Z'],
        ['X-Amz-Expires', '86400'],
        ['X-Amz-SignedHeaders', 'host'],
      ],
      headers: { host: 'examplebucket.s3.amazonaws.com' },
      payloadHash: 'UNSIGNED-PAYLOAD',
      date: '20130524T000000Z',
      region: 'us-east-1',
      service: 's3',
      secretKey: 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY',
    });
    expect(signature).toBe('aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404');
  });
});

describe('a token for EKS', () => {
  const aws = (sessionToken?: string) =>
    createAwsApi({
      credentials: async () => ({
        accessKeyId: ACCESS_KEY,
        secretAccessKey: SECRET_KEY,
        ...(sessionToken === undefined ? {} : { sessionToken }),
      }),
      region: 'eu-west-1',
      now: () => DATE,
    });

  test.each([
    ['of a user', undefined],
    ['of a role', 'session/token+with=signs'],
  ])('%s is a call of GetCallerIdentity, signed for one cluster and a minute', async (_, sessionToken) => {
    const token = await eksToken(aws(sessionToken), { name: 'prod-1' });
    const [, encoded = ''] = /^k8s-aws-v1\.([A-Za-z0-9_-]+)$/.exec(token) ?? [];
    const url = new URL(Buffer.from(encoded, 'base64url').toString());
    expect(`${url.origin}${url.pathname}`).toBe('https://sts.eu-west-1.amazonaws.com/');
    const query = Object.fromEntries(url.searchParams);
    const { 'X-Amz-Signature': signature, ...signed } = query;
    expect(signed).toEqual({
      Action: 'GetCallerIdentity',
      Version: '2011-06-15',
      'X-Amz-Algorithm': 'AWS4-HMAC-SHA256',
      'X-Amz-Credential': `${ACCESS_KEY}/20150830/eu-west-1/sts/aws4_request`,
      'X-Amz-Date': '20150830T123600Z',
      'X-Amz-Expires': '60',
      'X-Amz-SignedHeaders': 'host;x-k8s-aws-id',
      ...(sessionToken === undefined ? {} : { 'X-Amz-Security-Token': sessionToken }),
    });
    const expected = signatureOf({
      method: 'GET',
      path: '/',
      query: Object.entries(signed),
      headers: { host: 'sts.eu-west-1.amazonaws.com', 'x-k8s-aws-id': 'prod-1' },
      payloadHash: EMPTY,
      date: '20150830T123600Z',
      region: 'eu-west-1',
      service: 'sts',
      secretKey: SECRET_KEY,
    });
    expect(signature).toBe(expected);
  });

  test('is asked of the region that the fleet file names', async () => {
    const token = await eksToken(aws(), { name: 'prod-1', region: 'us-east-2' });
    expect(Buffer.from(token.slice(11), 'base64url').toString()).toMatch(/^https:\/\/sts\.us-east-2\./);
  });
});

describe('a cluster of EKS', () => {
  let server: FakeAws;
  let aws: AwsApi;
  beforeAll(async () => {
    server = await startFakeAws();
  });
  afterAll(() => server.stop());
  beforeEach(() => {
    server.clusters.clear();
    server.faults.splice(0);
    aws = createAwsApi({
      credentials: async () => ({ accessKeyId: ACCESS_KEY, secretAccessKey: SECRET_KEY }),
      region: 'eu-west-1',
      endpoint: () => server.url,
      now: () => DATE,
      sleep: async () => {},
    });
  });

  test('is reached at the address and by the authority that AWS says', async () => {
    const pem = '-----BEGIN CERTIFICATE-----\nx\n-----END CERTIFICATE-----\n';
    server.clusters.set('prod-1', {
      status: 'ACTIVE',
      endpoint: 'https://ABC.gr7.eu-west-1.eks.amazonaws.com',
      certificateAuthority: { data: Buffer.from(pem).toString('base64') },
    });
    const connection = await eksConnection(aws, { name: 'prod-1' });
    expect(connection).toMatchObject({ server: 'https://ABC.gr7.eu-west-1.eks.amazonaws.com', caData: pem });
    expect(await connection.tokenSource?.()).toMatch(/^k8s-aws-v1\./);
  });

  test('that is not there, or not yet, is named', async () => {
    await expect(eksConnection(aws, { name: 'gone' })).rejects.toThrow('No cluster found for name: gone');
    server.clusters.set('new', { status: 'CREATING' });
    await expect(eksConnection(aws, { name: 'new' })).rejects.toThrow('has no address yet (status CREATING)');
  });

  test('is asked for again when AWS is busy, and not when it refuses', async () => {
    server.clusters.set('new', { status: 'CREATING' });
    server.faults.push([429, 'ThrottlingException'], [500, 'ServerException'], [400, 'ThrottlingException']);
    const before = server.calls();
    await expect(eksConnection(aws, { name: 'new' })).rejects.toThrow('CREATING');
    expect(server.calls() - before).toBe(4);
    server.faults.push([403, 'AccessDeniedException']);
    const refused = eksConnection(aws, { name: 'new' });
    await expect(refused).rejects.toBeInstanceOf(AwsError);
    expect(server.calls() - before).toBe(5);
  });
});
