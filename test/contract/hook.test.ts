import { createHmac } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { HookSecret } from '../../lib/receive/hooks/hook-type.ts';
import { hookTypes } from '../../lib/receive/hooks/registry.ts';
import { createIdTokens } from '../../lib/receive/id-token.ts';
import { PayloadError } from '../../lib/receive/payload-error.ts';
import { registryTypes } from '../../lib/receive/registries/registry.ts';
import { receiverTypes } from '../../lib/toolkit/receiver.ts';
import { createIssuer, documentsOf } from '../support/oidc-issuer.ts';
import { type HookFixture, hookContract } from './hook.ts';

const secret: HookSecret = { token: 'the token of a receiver, with ünïcödé' };
const json = { 'content-type': 'application/json' };

function fixture(path: string): Record<string, unknown> {
  const file = join(import.meta.dirname, '../fixtures/webhooks', `${path}.json`);
  return JSON.parse(readFileSync(file, 'utf8')) as Record<string, unknown>;
}

function hmac(body: string, { token }: HookSecret, hash = 'sha256'): string {
  return createHmac(hash, token).update(body).digest('hex');
}

const now = Date.UTC(2026, 0, 1);
const google = await createIssuer('https://accounts.google.com', () => now);
const workflows = await createIssuer('https://token.example.com', () => now);
const tokens = createIdTokens(documentsOf(google, workflows), () => now);
const EMAIL = 'pusher@acme.iam.gserviceaccount.com';
const AUDIENCE = 'https://slipway.example.com/hook/x';

const fixtures: Record<keyof typeof hookTypes, HookFixture> = {
  generic: { type: hookTypes.generic, secret, headers: () => json, payload: { a: 1 }, needsObject: false },
  'generic-hmac': {
    type: hookTypes['generic-hmac'],
    secret,
    headers: (body, by) => ({ ...json, 'x-signature': `sha256=${hmac(body, by)}` }),
    proofHeader: 'x-signature',
    signsBody: true,
    usesToken: true,
    payload: { a: 1 },
    needsObject: false,
  },
  'generic-oidc': {
    type: hookTypes['generic-oidc'],
    secret: { token: '-' },
    headers: async () => ({
      ...json,
      authorization: `Bearer ${await workflows.sign({ aud: 'notification-controller', repository_owner: 'acme' })}`,
    }),
    proofHeader: 'authorization',
    payload: { a: 1 },
    needsObject: false,
    proof: {
      tokens,
      oidcProviders: [
        {
          issuerURL: workflows.url,
          audience: 'notification-controller',
          variables: [],
          validations: [{ expression: "claims.repository_owner == 'acme'", message: 'wrong owner' }],
        },
      ],
    },
  },
  github: {
    type: hookTypes.github,
    secret,
    headers: (body, by) => ({
      ...json,
      'x-github-event': 'push',
      'x-github-delivery': 'd1',
      'x-hub-signature-256': `sha256=${hmac(body, by)}`,
    }),
    proofHeader: 'x-hub-signature-256',
    signsBody: true,
    usesToken: true,
    payload: { ref: 'refs/heads/main' },
    events: ['push'],
    deliveryId: 'd1',
  },
  gitlab: {
    type: hookTypes.gitlab,
    secret: { token: 'a-token' },
    headers: (_body, { token }) => ({
      ...json,
      'x-gitlab-event': 'Push Hook',
      'idempotency-key': 'd1',
      'x-gitlab-token': token,
    }),
    proofHeader: 'x-gitlab-token',
    usesToken: true,
    payload: fixture('gitlab/push'),
    events: ['Push Hook'],
    deliveryId: 'd1',
  },
  bitbucket: {
    type: hookTypes.bitbucket,
    secret,
    headers: (body, by) => ({
      ...json,
      'x-event-key': 'repo:push',
      'x-request-uuid': 'd1',
      'x-hub-signature': `sha256=${hmac(body, by)}`,
    }),
    proofHeader: 'x-hub-signature',
    signsBody: true,
    usesToken: true,
    payload: fixture('bitbucket/push'),
    events: ['repo:push'],
    deliveryId: 'd1',
  },
  harbor: {
    type: hookTypes.harbor,
    secret: { token: 'a-token' },
    headers: (_body, { token }) => ({ ...json, authorization: token }),
    proofHeader: 'authorization',
    usesToken: true,
    payload: fixture('harbor/push-artifact'),
  },
  dockerhub: {
    type: hookTypes.dockerhub,
    secret,
    headers: () => json,
    payload: fixture('dockerhub/push'),
  },
  quay: { type: hookTypes.quay, secret, headers: () => json, payload: fixture('quay/push') },
  acr: {
    type: hookTypes.acr,
    secret,
    headers: () => json,
    payload: fixture('acr/push'),
    deliveryId: 'cb8c3971-9adc-488b-xxxx-43cbb4974ff5',
  },
  gcr: {
    type: hookTypes.gcr,
    secret: { token: '-', email: EMAIL, audience: AUDIENCE },
    headers: async () => ({
      ...json,
      authorization: `Bearer ${await google.sign({ aud: AUDIENCE, email: EMAIL, email_verified: true })}`,
    }),
    proofHeader: 'authorization',
    payload: fixture('gcr/insert'),
    request: {
      action: 'INSERT',
      digest: `europe-docker.pkg.dev/acme/images/app@sha256:${'a'.repeat(64)}`,
      tag: 'europe-docker.pkg.dev/acme/images/app:1.2.3',
    },
    deliveryId: '2070443601311540',
    proof: { tokens },
  },
  nexus: {
    type: hookTypes.nexus,
    secret,
    headers: (body, by) => ({
      ...json,
      'x-nexus-webhook-signature': hmac(body, by, 'sha1'),
      'x-nexus-webhook-delivery': 'd1',
    }),
    proofHeader: 'x-nexus-webhook-signature',
    signsBody: true,
    onlySha1: true,
    usesToken: true,
    payload: fixture('nexus/component-created'),
    deliveryId: 'd1',
  },
  cdevents: {
    type: hookTypes.cdevents,
    secret,
    headers: () => ({ ...json, 'ce-type': 'dev.cdevents.artifact.published.0.2.0' }),
    payload: fixture('cdevents/artifact-published'),
    events: ['dev.cdevents.artifact.published.0.2.0', 'dev.cdevents.artifact.published'],
    deliveryId: '271069a8-fc18-44f1-b38f-9d70a1695819',
  },
};

for (const [name, one] of Object.entries(fixtures)) hookContract(name, one);

hookContract('github (as Gitea sends it)', {
  ...fixtures.github,
  headers: (body, by) => ({
    ...json,
    'x-gitea-event': 'push',
    'x-gitea-delivery': 'd1',
    'x-gitea-signature': hmac(body, by),
  }),
  proofHeader: 'x-gitea-signature',
});

hookContract('generic-hmac (SHA-512)', {
  ...fixtures['generic-hmac'],
  headers: (body, by) => ({ ...json, 'x-signature': `sha512=${hmac(body, by, 'sha512')}` }),
});

describe('the types of Receivers', () => {
  it('are those of the schema', () => {
    expect(Object.keys(hookTypes).toSorted()).toEqual(receiverTypes.toSorted());
  });
});

describe('the tags that calls of Receivers name', () => {
  const named: [keyof typeof hookTypes, string][] = [
    ['acr', 'acme.azurecr.io'],
    ['dockerhub', 'index.docker.io'],
    ['gcr', 'europe-docker.pkg.dev'],
    ['harbor', 'harbor.example.com'],
    ['nexus', 'nexus.example.com'],
    ['quay', 'quay.io'],
    ['cdevents', 'registry.example.com'],
  ];

  it.each(named)('are read as the webhooks of registries are: %s', (type, host) => {
    const { payload, request = payload } = fixtures[type];
    const other = type === 'cdevents' ? registryTypes.generic : registryTypes[type as 'acr'];
    const expected = other.parse(new Headers(), payload, host);
    expect(expected.kind).toBe('push');
    expect(hookTypes[type].pushed?.(request, host)).toEqual(expected);
  });

  it('are those of packages of GitHub, and of whatever names images', () => {
    const images = [{ images: ['ghcr.io/acme/app'], tag: '1.2.3' }];
    const version = { package_url: 'ghcr.io/acme/app:1.2.3', container_metadata: { tag: { name: '1.2.3' } } };
    const payload = { action: 'published', registry_package: { name: 'app', package_version: version } };
    expect(hookTypes.github.pushed?.(payload, 'ghcr.io')).toEqual({ kind: 'push', pushes: images });
    for (const type of ['generic', 'generic-hmac', 'generic-oidc'] as const)
      expect(hookTypes[type].pushed?.({ image: 'ghcr.io/acme/app:1.2.3' }, 'ghcr.io')).toEqual({
        kind: 'push',
        pushes: images,
      });
  });

  it('are none for payloads of something else', () => {
    for (const { pushed } of Object.values(hookTypes) as { pushed?: (typeof hookTypes.acr)['pushed'] }[])
      if (pushed) expect(() => pushed({ ref: 'refs/heads/main' }, 'ghcr.io')).toThrow(PayloadError);
  });
});

describe('a Receiver of type gcr', () => {
  const identity = { token: '-', email: EMAIL, audience: AUDIENCE };
  async function verify(claims: Record<string, unknown>, by = identity, issuer = google) {
    const headers = new Headers({ authorization: `Bearer ${await issuer.sign(claims)}` });
    const proof = { secret: by, oidcProviders: [], tokens, checkClaims: async () => [] };
    return (await hookTypes.gcr.verify({ headers, body: new Uint8Array() }, proof)).ok;
  }
  const claims = { aud: AUDIENCE, email: EMAIL, email_verified: true };

  it("lets in the service account's own tokens for its own audience alone", async () => {
    expect(await verify(claims)).toBe(true);
    expect(await verify({ ...claims, iss: 'accounts.google.com' })).toBe(true);
    for (const change of [
      { aud: 'other' },
      { aud: undefined },
      { email: 'somebody@gmail.com' },
      { email: undefined },
      { email: '' },
      { email_verified: false },
      { email_verified: 'true' },
      { iss: 'https://evil.example' },
      { exp: now / 1000 - 60 },
    ])
      expect(await verify({ ...claims, ...change }), JSON.stringify(change)).toBe(false);
    expect(await verify({ ...claims, iss: google.url }, identity, workflows)).toBe(false);
  });

  it('lets nobody in without an e-mail and an audience to compare with', async () => {
    expect(await verify({ ...claims, email: '' }, { ...identity, email: '' })).toBe(false);
    expect(await verify({ ...claims, aud: '' }, { ...identity, audience: '' })).toBe(false);
    expect(await verify({ aud: AUDIENCE }, { token: '-', email: '', audience: AUDIENCE })).toBe(false);
  });
});

describe('a Receiver of type generic-oidc', () => {
  const { proof } = fixtures['generic-oidc'];
  async function verify(claims: Record<string, unknown>, issuer = workflows) {
    const headers = new Headers({ authorization: `Bearer ${await issuer.sign(claims)}` });
    return hookTypes['generic-oidc'].verify(
      { headers, body: new Uint8Array() },
      {
        secret: { token: '' },
        oidcProviders: proof?.oidcProviders ?? [],
        tokens,
        checkClaims: async (_provider, given) => (given.repository_owner === 'acme' ? [] : ['wrong owner']),
      },
    );
  }
  const claims = { aud: 'notification-controller', repository_owner: 'acme' };

  it('hands on the claims of a token that may call', async () => {
    expect(await verify(claims)).toMatchObject({ ok: true, claims: { repository_owner: 'acme' } });
  });

  it('refuses tokens of others, for others, out of date, and those whose claims are not right', async () => {
    expect(await verify({ ...claims, repository_owner: 'evil' })).toEqual({ ok: false, why: 'wrong owner' });
    expect(await verify({ aud: claims.aud })).toEqual({ ok: false, why: 'wrong owner' });
    expect(await verify({ ...claims, aud: 'other' })).toMatchObject({
      ok: false,
      why: expect.stringMatching(/aud/),
    });
    expect(await verify({ ...claims, exp: now / 1000 - 60 })).toMatchObject({
      ok: false,
      why: expect.stringMatching(/expired/),
    });
    expect(await verify({ ...claims, nbf: now / 1000 + 600 })).toMatchObject({ ok: false });
    expect(await verify({ ...claims, iss: workflows.url }, google)).toMatchObject({ ok: false });
    expect(await verify(claims, google)).toMatchObject({
      ok: false,
      why: expect.stringMatching(/no issuer/),
    });
  });
});
