/**
 * The few calls of AWS that Slipway makes by itself: secrets, parameters, the description of an EKS cluster, tokens of registries, roles. Signatures are checked as AWS
 * does. It stands in for what cannot run here; `test/contract/secrets.test.ts` says what it must do, and the real services do the same.
 */
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type AwsApi, createAwsApi } from '../../lib/cloud/aws-api.ts';
import { type FakeSts, fakeSts } from './fake-sts.ts';
import { sha256, signatureOf } from './sigv4.ts';

export const ACCESS_KEY = 'AKIDEXAMPLE';
export const registryPassword = 'password-of:registries';
export const SECRET_KEY = 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY';

/** What the fake holds and how it behaves. */
export interface FakeAws {
  url: string;
  secrets: Map<string, string>;
  parameters: Map<string, string>;
  /** By name: the body of DescribeCluster's `cluster`. */
  clusters: Map<string, object>;
  sts: FakeSts;
  /** The access keys that clusters were described with. */
  describers: string[];
  /** Answers that come before any other, as `[status, code]`. */
  faults: [status: number, code: string][];
  /** How many calls came. */
  calls(): number;
  stop(): Promise<void>;
}

/** Starts it on a free port. */
export async function startFakeAws(): Promise<FakeAws> {
  const secrets = new Map<string, string>();
  const parameters = new Map<string, string>();
  const clusters = new Map<string, object>();
  const sts = fakeSts();
  const describers: string[] = [];
  const faults: FakeAws['faults'] = [];
  let calls = 0;

  function answer(request: IncomingMessage, body: string): [status: number, answer: object | string] {
    calls += 1;
    const fault = faults.shift();
    if (fault) return [fault[0], { __type: `com.amazonaws#${fault[1]}`, message: 'planned' }];
    const by = signerOf(request, body, sts);
    if (by === undefined) return [403, { __type: 'InvalidSignatureException', message: 'wrong' }];
    const target = request.headers['x-amz-target'];
    const [, cluster] = /^\/clusters\/([^/?]+)$/.exec(request.url ?? '') ?? [];
    if (cluster !== undefined) {
      describers.push(by);
      const found = clusters.get(decodeURIComponent(cluster));
      return found ? [200, { cluster: found }] : [404, { message: `No cluster found for name: ${cluster}.` }];
    }
    if (target === undefined) return sts.answer(body);
    if (target === 'AmazonEC2ContainerRegistry_V20150921.GetAuthorizationToken') {
      const authorizationToken = Buffer.from(`AWS:${registryPassword}`).toString('base64');
      const proxyEndpoint = 'https://012345678910.dkr.ecr.eu-west-1.amazonaws.com';
      return [
        200,
        { authorizationData: [{ authorizationToken, expiresAt: 1_893_456_000.123, proxyEndpoint }] },
      ];
    }
    const input = JSON.parse(body) as { SecretId?: string; Name?: string; WithDecryption?: boolean };
    if (target === 'secretsmanager.GetSecretValue') {
      const SecretString = secrets.get(input.SecretId ?? '');
      return SecretString === undefined
        ? [400, { __type: 'ResourceNotFoundException', Message: "Secrets Manager can't find it." }]
        : [200, { Name: input.SecretId, SecretString }];
    }
    const Value = parameters.get(input.Name ?? '');
    return Value === undefined || target !== 'AmazonSSM.GetParameter'
      ? [400, { __type: 'ParameterNotFound' }]
      : [200, { Parameter: { Name: input.Name, Value: input.WithDecryption ? Value : 'encrypted' } }];
  }

  const server = createServer(async (request, response) => {
    let body = '';
    for await (const chunk of request) body += chunk;
    const [status, value] = answer(request, body);
    response
      .writeHead(status, { 'content-type': typeof value === 'string' ? 'text/xml' : 'application/json' })
      .end(typeof value === 'string' ? value : JSON.stringify(value));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    secrets,
    parameters,
    clusters,
    sts,
    describers,
    faults,
    calls: () => calls,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/**
 * Calls to it with its own credential, tried again without a pause.
 * @param options.region default: `eu-west-1`
 * @param options.now epoch in ms. Default: the clock
 */
export function fakeAwsApi(
  { url }: Pick<FakeAws, 'url'>,
  { region = 'eu-west-1', now = Date.now }: { region?: string; now?: () => number } = {},
): AwsApi {
  return createAwsApi({
    credentials: async () => ({ accessKeyId: ACCESS_KEY, secretAccessKey: SECRET_KEY }),
    region,
    endpoint: () => url,
    now,
    sleep: async () => {},
  });
}

/** The access key that a request is rightly signed with; undefined when it is not. */
function signerOf(
  { method = '', url = '', headers }: IncomingMessage,
  body: string,
  { sessions }: FakeSts,
): string | undefined {
  const [, key = '', region = '', service = '', names = '', signature] =
    /^AWS4-HMAC-SHA256 Credential=([^/]+)\/\d{8}\/([^/]+)\/([^/]+)\/aws4_request, SignedHeaders=([^,]+), Signature=([0-9a-f]{64})$/.exec(
      headers.authorization ?? '',
    ) ?? [];
  const session = sessions.get(key);
  const expected = signatureOf({
    method,
    path: url,
    query: [],
    headers: Object.fromEntries(names.split(';').map((name) => [name, String(headers[name] ?? '')])),
    payloadHash: sha256(body),
    date: String(headers['x-amz-date']),
    region,
    service,
    secretKey: session?.secretKey ?? SECRET_KEY,
  });
  const isRight =
    (key === ACCESS_KEY || session !== undefined) &&
    headers['x-amz-security-token'] === session?.token &&
    signature === expected &&
    names.includes('host') &&
    names.includes('x-amz-date');
  return isRight ? key : undefined;
}
