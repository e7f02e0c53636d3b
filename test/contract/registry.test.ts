import { createHmac } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import examples from '@octokit/webhooks-examples' with { type: 'json' };
import { describe, expect, it } from 'vitest';
import { FleetRegistry } from '../../lib/fleet/container-registry.ts';
import { createIdTokens } from '../../lib/receive/id-token.ts';
import { registryTypes } from '../../lib/receive/registries/registry.ts';
import { createIssuer, documentsOf } from '../support/oidc-issuer.ts';
import { type RegistryFixture, registryContract } from './registry.ts';

type Payload = Record<string, unknown>;

const json = { 'content-type': 'application/json' };
const HARBOR = 'harbor.example.com';

function fixture(path: string): Payload {
  const file = join(import.meta.dirname, '../fixtures/webhooks', `${path}.json`);
  return JSON.parse(readFileSync(file, 'utf8')) as Payload;
}

/** A payload with one member replaced; `a.b` names a member of a member. */
function changed(payload: Payload, path: string, value: unknown): Payload {
  const [key = '', ...rest] = path.split('.');
  const inner = rest.length === 0 ? value : changed(payload[key] as Payload, rest.join('.'), value);
  return { ...payload, [key]: inner };
}

const hmac = (body: string, secret: string, hash: string) =>
  createHmac(hash, secret).update(body).digest('hex');
const authorized = (_body: string, secret: string) => ({ ...json, authorization: `Bearer ${secret}` });

const now = Date.UTC(2026, 0, 1);
const google = await createIssuer('https://accounts.google.com', () => now);
const identity = { email: 'pusher@acme.iam.gserviceaccount.com', audience: 'slipway' };

/** An image that was pushed to GitHub, as GitHub documents it; in the original neither tag nor address has a value. */
const published = (examples as unknown as { name: string; examples: Payload[] }[])
  .find(({ name }) => name === 'package')
  ?.examples.find(
    (one) => 'container_metadata' in ((one.package as Payload).package_version as Payload),
  ) as Payload;
const untagged = published;
const tagged = changed(
  changed(published, 'package.package_version.container_metadata.tag.name', '1.2.3'),
  'package.package_version.package_url',
  'ghcr.io/acme/app:1.2.3',
);

function message(event: unknown): Payload {
  const data = Buffer.from(JSON.stringify(event)).toString('base64');
  return { message: { data, messageId: '1' }, subscription: 's' };
}

const dockerhub = fixture('dockerhub/push');
const quay = changed(fixture('quay/push'), 'updated_tags', ['1.2.3']);
const acr = fixture('acr/push');
const ecr = fixture('ecr/push');
const harbor = fixture('harbor/push-artifact');
const nexus = fixture('nexus/component-created');
const distribution = fixture('distribution/push');
const cdevent = fixture('cdevents/artifact-published');

const fixtures: Record<keyof typeof registryTypes, RegistryFixture> = {
  dockerhub: {
    type: registryTypes.dockerhub,
    host: 'index.docker.io',
    headers: () => json,
    payload: dockerhub,
    images: ['index.docker.io/acme/app'],
    tag: '1.2.3',
    others: [
      { name: 'a push without tag', payload: changed(dockerhub, 'push_data.tag', ''), kind: 'ignored' },
    ],
    malformed: [
      { name: 'null', payload: null },
      { name: 'a push without repository', payload: changed(dockerhub, 'repository', null) },
      {
        name: 'a repository that is none',
        payload: changed(dockerhub, 'repository.repo_name', 'acme/../evil'),
      },
      { name: 'a tag that is none', payload: changed(dockerhub, 'push_data.tag', 'evil tag') },
    ],
  },
  quay: {
    type: registryTypes.quay,
    host: 'quay.io',
    headers: () => json,
    payload: quay,
    images: ['quay.io/acme/app'],
    tag: '1.2.3',
    others: [{ name: 'a push without tags', payload: changed(quay, 'updated_tags', []), kind: 'ignored' }],
    malformed: [
      { name: 'a list', payload: [] },
      { name: 'tags that are none', payload: changed(quay, 'updated_tags', [1]) },
    ],
  },
  acr: {
    type: registryTypes.acr,
    host: 'acme.azurecr.io',
    headers: authorized,
    proofHeader: 'authorization',
    usesSecret: true,
    payload: acr,
    images: ['acme.azurecr.io/acme/app'],
    tag: '1.2.3',
    deliveryId: 'cb8c3971-9adc-488b-xxxx-43cbb4974ff5',
    others: [
      { name: 'a ping', payload: { id: '1', timestamp: 't', action: 'ping' }, kind: 'ping' },
      { name: 'a deletion', payload: changed(acr, 'action', 'delete'), kind: 'ignored' },
      { name: 'a push by digest', payload: changed(acr, 'target.tag', null), kind: 'ignored' },
    ],
    malformed: [{ name: 'a push of nothing', payload: changed(acr, 'target', null) }],
  },
  ecr: {
    type: registryTypes.ecr,
    host: '123456789012.dkr.ecr.eu-west-1.amazonaws.com',
    headers: (_body, secret) => ({ ...json, 'x-api-key': secret }),
    proofHeader: 'x-api-key',
    usesSecret: true,
    payload: ecr,
    images: ['123456789012.dkr.ecr.eu-west-1.amazonaws.com/acme/app'],
    tag: '1.2.3',
    deliveryId: '13cde686-328b-6117-af20-0e5566167482',
    others: [
      { name: 'a deletion', payload: changed(ecr, 'detail.action-type', 'DELETE'), kind: 'ignored' },
      { name: 'a failure', payload: changed(ecr, 'detail.result', 'FAILURE'), kind: 'ignored' },
      { name: 'a scan', payload: changed(ecr, 'detail-type', 'ECR Image Scan'), kind: 'ignored' },
      { name: 'a push by digest', payload: changed(ecr, 'detail.image-tag', undefined), kind: 'ignored' },
      {
        name: 'a push to another account',
        payload: changed(ecr, 'account', '210987654321'),
        kind: 'forbidden',
      },
      { name: 'a push to another region', payload: changed(ecr, 'region', 'us-east-1'), kind: 'forbidden' },
    ],
    malformed: [
      { name: 'an account that is none', payload: changed(ecr, 'account', 'evil.example/') },
      { name: 'a region that is a pattern', payload: changed(ecr, 'region', '.*') },
    ],
  },
  harbor: {
    type: registryTypes.harbor,
    host: HARBOR,
    headers: (_body, secret) => ({ ...json, authorization: secret }),
    proofHeader: 'authorization',
    usesSecret: true,
    payload: harbor,
    images: [`${HARBOR}/acme/app`],
    tag: '1.2.3',
    others: [
      { name: 'a deletion', payload: changed(harbor, 'type', 'DELETE_ARTIFACT'), kind: 'ignored' },
      { name: 'a test', payload: { type: 'TEST', event_data: {} }, kind: 'ignored' },
    ],
    malformed: [
      { name: 'a push without data', payload: changed(harbor, 'event_data', undefined) },
      { name: 'resources that are none', payload: changed(harbor, 'event_data.resources', 'evil') },
    ],
  },
  ghcr: {
    type: registryTypes.ghcr,
    host: 'ghcr.io',
    headers: (body, secret) => ({
      ...json,
      'x-github-event': 'package',
      'x-github-delivery': 'd1',
      'x-hub-signature-256': `sha256=${hmac(body, secret, 'sha256')}`,
    }),
    proofHeader: 'x-hub-signature-256',
    signsBody: true,
    usesSecret: true,
    payload: tagged,
    images: ['ghcr.io/acme/app'],
    tag: '1.2.3',
    deliveryId: 'd1',
    others: [
      { name: 'an image without tag', payload: untagged, kind: 'ignored' },
      { name: 'a deletion', payload: changed(tagged, 'action', 'deleted'), kind: 'ignored' },
      {
        name: 'an image elsewhere',
        payload: changed(tagged, 'package.package_version.package_url', 'evil.example/acme/app:1.2.3'),
        kind: 'forbidden',
      },
    ],
    malformed: [
      { name: 'a package that is none', payload: changed(tagged, 'package', 'evil') },
      { name: 'no package', payload: { action: 'published' } },
    ],
  },
  gcr: {
    type: registryTypes.gcr,
    host: 'europe-docker.pkg.dev',
    headers: async () => ({
      ...json,
      authorization: `Bearer ${await google.sign({ aud: identity.audience, email: identity.email, email_verified: true })}`,
    }),
    proofHeader: 'authorization',
    proof: { identity, tokens: createIdTokens(documentsOf(google), () => now) },
    payload: fixture('gcr/insert'),
    images: ['europe-docker.pkg.dev/acme/images/app'],
    tag: '1.2.3',
    deliveryId: '2070443601311540',
    others: [
      {
        name: 'a deletion',
        payload: message({ action: 'DELETE', tag: 'europe-docker.pkg.dev/a/b:1' }),
        kind: 'ignored',
      },
      { name: 'a push by digest', payload: message({ action: 'INSERT', digest: 'x' }), kind: 'ignored' },
      {
        name: 'an image elsewhere',
        payload: message({ action: 'INSERT', tag: 'gcr.io/a/b:1' }),
        kind: 'forbidden',
      },
    ],
    malformed: [
      { name: 'a message without data', payload: { message: {} } },
      { name: 'data that is no base64', payload: { message: { data: '!' } } },
      { name: 'data that is no JSON', payload: { message: { data: 'YWNtZQ==' } } },
      { name: 'a tag that is none', payload: message({ action: 'INSERT', tag: 'acme' }) },
      {
        name: 'a key twice',
        payload: { message: { data: Buffer.from('{"tag":"a","tag":"b"}').toString('base64') } },
      },
    ],
  },
  nexus: {
    type: registryTypes.nexus,
    host: 'nexus.example.com:8443',
    headers: (body, secret) => ({
      ...json,
      'x-nexus-webhook-signature': hmac(body, secret, 'sha1'),
      'x-nexus-webhook-delivery': 'd1',
    }),
    proofHeader: 'x-nexus-webhook-signature',
    signsBody: true,
    usesSecret: true,
    payload: nexus,
    images: ['nexus.example.com:8443/acme/app', 'nexus.example.com:8443/docker-hosted/acme/app'],
    tag: '1.2.3',
    deliveryId: 'd1',
    others: [
      { name: 'a deletion', payload: changed(nexus, 'action', 'DELETED'), kind: 'ignored' },
      { name: 'a Maven artifact', payload: changed(nexus, 'component.format', 'maven2'), kind: 'ignored' },
      { name: 'an asset', payload: changed(nexus, 'component', undefined), kind: 'ignored' },
    ],
    malformed: [{ name: 'a component that is none', payload: changed(nexus, 'component', 'evil') }],
  },
  distribution: {
    type: registryTypes.distribution,
    host: 'localhost:5000',
    headers: (_body, secret) => ({
      'content-type': 'application/vnd.docker.distribution.events.v1+json',
      authorization: `Bearer ${secret}`,
    }),
    proofHeader: 'authorization',
    usesSecret: true,
    payload: distribution,
    images: ['localhost:5000/acme/app'],
    tag: '1.2.3',
    deliveryId: '320678d8-ca14-430f-8bb6-4ca139cd83f7,320678d8-ca14-430f-8bb6-4ca139cd83f8',
    others: [
      { name: 'no events', payload: { events: [] }, kind: 'ignored' },
      {
        name: 'a pull',
        payload: { events: [{ id: '1', action: 'pull', target: { repository: 'acme/app', tag: '1' } }] },
        kind: 'ignored',
      },
    ],
    malformed: [
      { name: 'events that are none', payload: { events: 'evil' } },
      { name: 'a push of nothing', payload: { events: [{ id: '1', action: 'push', target: null }] } },
    ],
  },
  generic: {
    type: registryTypes.generic,
    host: 'registry.example.com',
    headers: (body, secret) => ({ ...json, 'x-signature': `sha256=${hmac(body, secret, 'sha256')}` }),
    proofHeader: 'x-signature',
    signsBody: true,
    usesSecret: true,
    payload: { image: `registry.example.com/acme/app:1.2.3@sha256:${'a'.repeat(64)}` },
    images: ['registry.example.com/acme/app'],
    tag: '1.2.3',
    others: [
      { name: 'an image elsewhere', payload: { image: 'evil.example/acme/app:1' }, kind: 'forbidden' },
      {
        name: 'a CDEvent of something else',
        payload: changed(cdevent, 'context.type', 'dev.cdevents.change.merged.0.2.0'),
        kind: 'ignored',
      },
      {
        name: 'a CDEvent of a package of another kind',
        payload: changed(cdevent, 'subject.id', 'pkg:npm/app@1.2.3'),
        kind: 'ignored',
      },
    ],
    malformed: [
      { name: 'an image without tag', payload: { image: 'registry.example.com/acme/app' } },
      { name: 'no image', payload: { images: [] } },
      { name: 'a CDEvent without id', payload: changed(cdevent, 'context.id', '') },
      { name: 'a CDEvent of the past century', payload: changed(cdevent, 'context.timestamp', 'evil') },
    ],
  },
};

for (const [name, one] of Object.entries(fixtures)) registryContract(name, one);

registryContract('harbor (as a CloudEvent)', {
  ...fixtures.harbor,
  payload: fixture('harbor/cloud-event'),
  deliveryId: '66ee4475-7e5c-4a0a-b0a1-3a0f3b8b8b0b',
});

registryContract('ghcr (the event registry_package)', {
  ...fixtures.ghcr,
  headers: (body, secret) => ({
    ...(fixtures.ghcr.headers(body, secret) as Record<string, string>),
    'x-github-event': 'registry_package',
  }),
  payload: { action: 'published', registry_package: tagged.package },
});

registryContract('generic (a CDEvent, with a bearer token)', {
  ...fixtures.generic,
  headers: authorized,
  proofHeader: 'authorization',
  signsBody: false,
  payload: cdevent,
});

describe('the types of registries', () => {
  it('are those of the fleet file', () => {
    const accepted = Object.keys(registryTypes).filter((type) => {
      const more = type === 'gcr' ? { identity } : { webhookSecrets: ['env:A'] };
      return FleetRegistry.safeParse({ name: 'a', type, host: 'a.example', ...more }).success;
    });
    expect(accepted).toEqual(Object.keys(registryTypes));
  });

  it('have the secret in the path exactly where the registry cannot sign', () => {
    const inPath = Object.entries(registryTypes).filter(([, { secretInPath }]) => secretInPath);
    expect(inPath.map(([name]) => name)).toEqual(['acr', 'dockerhub', 'quay']);
  });

  it('name several tags of one delivery once each', () => {
    const read = registryTypes.quay.parse(new Headers(), fixture('quay/push'), 'quay.io');
    expect(read).toMatchObject({ pushes: [{ tag: '1.2.3' }, { tag: 'latest' }] });
    const twice = registryTypes.generic.parse(
      new Headers(),
      { images: ['a.example/app:1', 'a.example/app:1', 'b.example/app:1'] },
      'a.example',
    );
    expect(twice).toEqual({ kind: 'push', pushes: [{ images: ['a.example/app'], tag: '1' }] });
  });
});
