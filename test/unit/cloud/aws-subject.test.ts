import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type AwsApi, createAwsApi } from '../../../lib/cloud/aws-api.ts';
import { AwsError } from '../../../lib/cloud/aws-fault.ts';
import { awsSubjectForEntra, awsSubjectForGoogle } from '../../../lib/cloud/aws-subject.ts';
import { ACCESS_KEY, type FakeAws, fakeAwsApi, SECRET_KEY, startFakeAws } from '../../support/fake-aws.ts';
import { sha256, signatureOf } from '../../support/sigv4.ts';

const AUDIENCE =
  '//iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/aws/providers/slipway';

function caller(endpoint?: string): AwsApi {
  return createAwsApi({
    credentials: async () => ({
      accessKeyId: ACCESS_KEY,
      secretAccessKey: SECRET_KEY,
      sessionToken: 'a/b+c=',
    }),
    region: 'eu-west-1',
    endpoint: () => endpoint,
    now: () => Date.UTC(2026, 0, 1),
    sleep: async () => {},
  });
}

describe('the AWS identity of this process, before Google', () => {
  it('is a signed call of GetCallerIdentity that is good for one provider alone', async () => {
    const subject = JSON.parse(decodeURIComponent(await awsSubjectForGoogle(caller(), AUDIENCE))) as {
      url: string;
      method: string;
      headers: { key: string; value: string }[];
    };
    expect([subject.method, subject.url]).toEqual([
      'POST',
      'https://sts.eu-west-1.amazonaws.com/?Action=GetCallerIdentity&Version=2011-06-15',
    ]);
    const headers = Object.fromEntries(subject.headers.map(({ key, value }) => [key.toLowerCase(), value]));
    const { authorization = '', ...rest } = headers;
    const signed = {
      host: 'sts.eu-west-1.amazonaws.com',
      'x-amz-date': '20260101T000000Z',
      'x-amz-security-token': 'a/b+c=',
      'x-goog-cloud-target-resource': AUDIENCE,
    };
    expect(rest).toEqual(signed);
    const signature = signatureOf({
      method: 'POST',
      path: '/',
      query: [
        ['Action', 'GetCallerIdentity'],
        ['Version', '2011-06-15'],
      ],
      headers: signed,
      payloadHash: sha256(''),
      date: '20260101T000000Z',
      region: 'eu-west-1',
      service: 'sts',
      secretKey: SECRET_KEY,
    });
    expect(authorization).toBe(
      `AWS4-HMAC-SHA256 Credential=${ACCESS_KEY}/20260101/eu-west-1/sts/aws4_request, SignedHeaders=host;x-amz-date;x-amz-security-token;x-goog-cloud-target-resource, Signature=${signature}`,
    );
  });
});

describe('the AWS identity of this process, before Entra ID', () => {
  let server: FakeAws;
  let aws: AwsApi;
  beforeAll(async () => {
    server = await startFakeAws();
    aws = fakeAwsApi(server);
  });
  afterAll(() => server.stop());
  beforeEach(() => {
    server.sts.requests.splice(0);
    server.faults.splice(0);
  });

  it('is a token that AWS signs for Entra ID, for a few minutes, in the way that Entra ID can check', async () => {
    server.sts.webIdentity = 'header.claims.signature';
    expect(await awsSubjectForEntra(aws)).toBe('header.claims.signature');
    expect(server.sts.requests).toEqual([
      {
        Action: 'GetWebIdentityToken',
        Version: '2011-06-15',
        'Audience.member.1': 'api://AzureADTokenExchange',
        SigningAlgorithm: 'RS256',
        DurationSeconds: '300',
      },
    ]);
  });

  it('is not there before the account gives such tokens: how that is switched on is said', async () => {
    server.sts.webIdentity = undefined;
    await expect(awsSubjectForEntra(aws)).rejects.toThrow('aws iam enable-outbound-web-identity-federation');
  });

  it('may be not allowed: the right is named', async () => {
    server.faults.push([403, 'AccessDenied']);
    await expect(awsSubjectForEntra(aws)).rejects.toThrow(
      'lacks the right sts:GetWebIdentityToken for the audience api://AzureADTokenExchange',
    );
    server.faults.push([400, 'ExpiredTokenException']);
    await expect(awsSubjectForEntra(aws)).rejects.toBeInstanceOf(AwsError);
  });
});
