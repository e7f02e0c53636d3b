import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type AwsApi, createAwsApi } from '../../lib/cloud/aws-api.ts';
import { schemes } from '../../lib/secrets/registry.ts';
import { resolveSecret, SecretError } from '../../lib/secrets/resolve-secret.ts';
import { ACCESS_KEY, type FakeAws, fakeAwsApi, SECRET_KEY, startFakeAws } from '../support/fake-aws.ts';

const VALUE = 'a "value" with\nlines, ü and \\';

let directory: string;
let server: FakeAws;
let aws: AwsApi;
const env: Record<string, string> = {};

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'slipway-secrets-'));
  server = await startFakeAws();
  aws = fakeAwsApi(server);
});
afterAll(async () => {
  await server.stop();
  await rm(directory, { recursive: true, force: true });
});

/** How a secret comes to be where a scheme looks for it. */
const keepers: Record<string, (name: string, value: string) => unknown> = {
  env: (name, value) => {
    env[name] = value;
  },
  file: (name, value) => writeFile(join(directory, name), value),
  'aws-sm': (name, value) => server.secrets.set(name, value),
  ssm: (name, value) => server.parameters.set(name, value),
};

function resolve(reference: string, asked = aws): Promise<string> {
  return resolveSecret(reference, { baseDirectory: directory, env, aws: async () => asked });
}

describe.each(Object.keys(schemes))('a secret kept as %s', (scheme) => {
  const keep = (name: string, value: string) => keepers[scheme]?.(name, value);

  test('is read as it was kept, but for one line break at its end', async () => {
    await keep('whole', VALUE);
    expect(await resolve(`${scheme}:whole`)).toBe(VALUE);
    await keep('line', `${VALUE}\n`);
    expect(await resolve(`${scheme}:line`)).toBe(VALUE);
  });

  test('is read anew each time', async () => {
    await keep('rotated', 'before');
    expect(await resolve(`${scheme}:rotated`)).toBe('before');
    await keep('rotated', 'after');
    expect(await resolve(`${scheme}:rotated`)).toBe('after');
  });

  test('that is not there, or is empty, is named', async () => {
    const missing = resolve(`${scheme}:missing`);
    await expect(missing).rejects.toBeInstanceOf(SecretError);
    await expect(missing).rejects.toThrow(`cannot read the secret ${scheme}:missing: `);
    await keep('empty', '\n');
    await expect(resolve(`${scheme}:empty`)).rejects.toThrow(`${scheme}:empty: it is empty`);
  });
});

describe('a secret of AWS', () => {
  test('may be one field of a JSON object', async () => {
    server.secrets.set('pair', JSON.stringify({ token: 'of the pair', port: 1 }));
    expect(await resolve('aws-sm:pair#token')).toBe('of the pair');
    await expect(resolve('aws-sm:pair#port')).rejects.toThrow('no field port that is a text');
    await expect(resolve('aws-sm:pair#constructor')).rejects.toThrow('no field constructor');
  });

  test('that is no JSON is not quoted by the error about its field', async () => {
    server.secrets.set('plain', 'hunter2-hunter2');
    const error = await resolve('aws-sm:plain#token').catch((thrown: unknown) => thrown);
    expect(String(error)).toContain('it is no JSON');
    expect(JSON.stringify(error) + String(error) + (error as Error).stack).not.toContain('hunter2');
  });

  test.each([
    ['AccessDeniedException', 'aws-sm:x', 'lacks the right secretsmanager:GetSecretValue'],
    ['AccessDeniedException', 'ssm:/x', 'lacks the right ssm:GetParameter'],
    ['ExpiredTokenException', 'ssm:/x', 'renew them'],
  ])('refused with %s says what to do: %s', async (code, reference, advice) => {
    server.faults.push([400, code]);
    await expect(resolve(reference)).rejects.toThrow(advice);
  });

  test('is read though AWS is busy for a moment', async () => {
    server.secrets.set('busy', 'there');
    server.faults.push([400, 'ThrottlingException'], [503, 'ServiceUnavailable']);
    expect(await resolve('aws-sm:busy')).toBe('there');
  });

  test('that is signed with a wrong key is refused, by the fake as by AWS', async () => {
    const wrong = createAwsApi({
      credentials: async () => ({ accessKeyId: ACCESS_KEY, secretAccessKey: 'wrong' }),
      region: 'eu-west-1',
      endpoint: () => server.url,
      now: Date.now,
    });
    server.secrets.set('mine', 'x');
    await expect(resolve('aws-sm:mine', wrong)).rejects.toThrow('does not accept the credentials');
  });

  test('asks for a region where none is known', async () => {
    const nowhere = createAwsApi({
      credentials: async () => ({ accessKeyId: ACCESS_KEY, secretAccessKey: SECRET_KEY }),
      region: undefined,
      endpoint: () => server.url,
      now: Date.now,
    });
    await expect(resolve('ssm:/x', nowhere)).rejects.toThrow('set AWS_REGION');
    server.secrets.set('arn:aws:secretsmanager:eu-west-1:1:secret:x', 'by its ARN');
    expect(await resolve('aws-sm:arn:aws:secretsmanager:eu-west-1:1:secret:x', nowhere)).toBe('by its ARN');
  });
});
