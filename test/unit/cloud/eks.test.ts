import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type AwsApi, createAwsApi } from '../../../lib/cloud/aws-api.ts';
import { AwsError } from '../../../lib/cloud/aws-fault.ts';
import { eksConnection, eksToken } from '../../../lib/cloud/eks.ts';
import { ACCESS_KEY, type FakeAws, fakeAwsApi, SECRET_KEY, startFakeAws } from '../../support/fake-aws.ts';
import { sha256, signatureOf } from '../../support/sigv4.ts';

const DATE = Date.UTC(2015, 7, 30, 12, 36, 0);
const EMPTY = sha256('');
const now = () => DATE;

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
    aws = fakeAwsApi(server, { now: () => DATE });
  });

  test('is reached at the address and by the authority that AWS says', async () => {
    const pem = '-----BEGIN CERTIFICATE-----\nx\n-----END CERTIFICATE-----\n';
    server.clusters.set('prod-1', {
      status: 'ACTIVE',
      endpoint: 'https://ABC.gr7.eu-west-1.eks.amazonaws.com',
      certificateAuthority: { data: Buffer.from(pem).toString('base64') },
    });
    const connection = await eksConnection(aws, { name: 'prod-1' }, now);
    expect(connection).toMatchObject({ server: 'https://ABC.gr7.eu-west-1.eks.amazonaws.com', caData: pem });
    expect(await connection.tokenSource?.()).toMatch(/^k8s-aws-v1\./);
  });

  test('that is not there, or not yet, is named', async () => {
    await expect(eksConnection(aws, { name: 'gone' }, now)).rejects.toThrow(
      /No cluster found for name: gone; look at name and region of eks \(there is none in eu-west-1\)/,
    );
    server.clusters.set('new', { status: 'CREATING' });
    await expect(eksConnection(aws, { name: 'new' }, now)).rejects.toThrow(
      'has no address yet (status CREATING)',
    );
  });

  test('is asked for again when AWS is busy, and not when it refuses', async () => {
    server.clusters.set('new', { status: 'CREATING' });
    server.faults.push([429, 'ThrottlingException'], [500, 'ServerException'], [400, 'ThrottlingException']);
    const before = server.calls();
    await expect(eksConnection(aws, { name: 'new' }, now)).rejects.toThrow('CREATING');
    expect(server.calls() - before).toBe(4);
    server.faults.push([403, 'AccessDeniedException']);
    const refused = eksConnection(aws, { name: 'new' }, now);
    await expect(refused).rejects.toThrow(
      'the identity of this process lacks the right eks:DescribeCluster on the EKS cluster new in eu-west-1',
    );
    expect(server.calls() - before).toBe(5);
  });
});

describe('a cluster of EKS that a role opens', () => {
  const ROLE = 'arn:aws:iam::210987654321:role/slipway/deployer';
  const cluster = { name: 'prod-1', region: 'eu-west-1', roleArn: ROLE, externalId: 'acme/7' };
  let server: FakeAws;
  let time: number;
  let aws: AwsApi;
  beforeEach(async () => {
    server = await startFakeAws();
    time = DATE;
    aws = fakeAwsApi(server, { region: 'us-east-1', now: () => time });
    server.clusters.set('prod-1', {
      endpoint: 'https://abc.example',
      certificateAuthority: { data: Buffer.from('pem').toString('base64') },
    });
    lasts(60 * 60_000);
    return () => server.stop();
  });
  const lasts = (ms: number) =>
    server.sts.roles.set(ROLE, { externalId: 'acme/7', expiration: new Date(time + ms).toISOString() });
  const keyOf = (token: string | undefined) =>
    new URL(Buffer.from(token?.slice(11) ?? '', 'base64url').toString()).searchParams;

  test('is described, and its tokens are signed, by that role alone', async () => {
    const connection = await eksConnection(aws, cluster, () => time);
    expect(server.describers).toEqual(['ASIASESSION1']);
    expect(server.sts.requests).toEqual([
      {
        Action: 'AssumeRole',
        Version: '2011-06-15',
        RoleArn: ROLE,
        RoleSessionName: 'slipway-prod-1',
        DurationSeconds: '3600',
        ExternalId: 'acme/7',
      },
    ]);
    const query = keyOf(await connection.tokenSource?.());
    expect(query.get('X-Amz-Credential')).toBe('ASIASESSION1/20150830/eu-west-1/sts/aws4_request');
    expect(query.get('X-Amz-Security-Token')).toBe('token/of+session-1==');
    expect(JSON.stringify(connection)).not.toContain('session-1');
  });

  test('has its role assumed once for many calls, and anew five minutes before the session ends', async () => {
    const connection = await eksConnection(aws, cluster, () => time);
    const token = async () =>
      keyOf(await connection.tokenSource?.())
        .get('X-Amz-Credential')
        ?.split('/')[0];
    time += 54 * 60_000;
    expect(await token()).toBe('ASIASESSION1');
    time += 60_000;
    lasts(60 * 60_000);
    expect(await Promise.all([token(), token(), token()])).toEqual(Array(3).fill('ASIASESSION2'));
    expect(server.sts.requests).toHaveLength(2);
  });

  test('says whose policy is to be looked at when the role may not be assumed, and tries again the next time', async () => {
    server.sts.roles.clear();
    await expect(eksConnection(aws, cluster, () => time)).rejects.toThrow(
      `the role ${ROLE} cannot be assumed: this process needs the right sts:AssumeRole on it, and the trust policy of the role must name the identity of this process and the externalId of the fleet file`,
    );
    lasts(60 * 60_000);
    await expect(eksConnection(aws, cluster, () => time)).resolves.toBeDefined();
  });

  test('says which right the role lacks', async () => {
    const connection = eksConnection(
      {
        ...aws,
        as: (credentials) => ({
          ...aws.as(credentials),
          call: () => Promise.reject(new AwsError('AccessDeniedException', 403, 'eks answered 403')),
        }),
      },
      cluster,
      () => time,
    );
    await expect(connection).rejects.toThrow(
      `the role ${ROLE} lacks the right eks:DescribeCluster on the EKS cluster prod-1 in eu-west-1`,
    );
  });

  test('has a session whose name AWS takes, however long its own is', async () => {
    const name = 'a'.repeat(100);
    server.clusters.set(name, { status: 'CREATING' });
    await expect(eksConnection(aws, { ...cluster, name }, () => time)).rejects.toThrow('CREATING');
  });
});
