import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import type { ReconcileError } from '../../lib/core/errors.ts';
import type { Decryption } from '../../lib/render/render.ts';
import { type Files, renderFiles, testEngine } from '../support/render.ts';

const folder = join(import.meta.dirname, '../fixtures/sops');
const read = (path: string) => readFileSync(join(folder, path), 'utf8');
const encrypted = (name: string) => read(`encrypted/${name}`);
const decrypted = (name: string) => read(`decrypted/${name}`);

const age: Decryption = { ageIdentities: [read('age.agekey')], pgpKeys: [] };
const pgp: Decryption = { ageIdentities: [], pgpKeys: [read('pgp.asc')] };
const both: Decryption = { ageIdentities: [read('age.agekey')], pgpKeys: [read('pgp.asc')] };
const other: Decryption = { ageIdentities: [read('other.agekey')], pgpKeys: [] };
const sops = { decryption: { provider: 'sops' as const } };

const engine = testEngine();
afterAll(() => engine.close());

/** Renders one manifest, and the objects that came of it. */
async function objectsOf(manifest: string, keys = age, spec: object = sops) {
  const { objects } = await renderFiles(engine, { 'a.yaml': manifest }, spec, { decryption: keys });
  return objects;
}

async function failureOf(files: Files, keys = age): Promise<ReconcileError> {
  return renderFiles(engine, files, sops, { decryption: keys }).then(
    () => expect.fail('it rendered'),
    (error: ReconcileError) => error,
  );
}

const plain = {
  apiVersion: 'v1',
  kind: 'Secret',
  metadata: { name: 'database', labels: { tier: '1' } },
  type: 'Opaque',
  data: { certificate: 'c2VjcmV0LWNlcnRpZmljYXRl' },
  stringData: {
    password: 'correct-horse-battery',
    port: '5432',
    empty: '',
    lines: 'first line\nsecond line\n',
  },
};

describe('an encrypted Secret', () => {
  test.each([
    ['age', 'secret.yaml', age],
    ['OpenPGP', 'secret-pgp.yaml', pgp],
    ['age, when it was encrypted for OpenPGP too', 'secret-both.yaml', age],
    ['OpenPGP, when it was encrypted for age too', 'secret-both.yaml', pgp],
    ['two of three key groups', 'secret-groups.yaml', both],
    ['age, with a MAC over encrypted values alone', 'secret-mac-only.yaml', age],
  ])('is opened with %s', async (_how, file, keys) => {
    const { objects, warnings } = await renderFiles(engine, { 'a.yaml': encrypted(file) }, sops, {
      decryption: keys,
    });
    expect(objects).toEqual([plain]);
    expect(warnings).toEqual([]);
  });

  test('may stand in a file with others', async () => {
    const objects = await objectsOf(encrypted('several.yaml'));
    expect(objects.map(({ stringData }) => stringData)).toEqual([
      { key: 'value-of-one' },
      { key: 'value-of-two' },
    ]);
  });

  test('is opened after kustomize has worked on it, so that namespaces, prefixes and labels apply', async () => {
    const [object] = await objectsOf(encrypted('secret.yaml'), age, {
      ...sops,
      targetNamespace: 'shop',
      namePrefix: 'blue-',
      commonMetadata: { labels: { team: 'a' } },
    });
    expect(object?.metadata).toEqual({
      name: 'blue-database',
      namespace: 'shop',
      labels: { tier: '1', team: 'a' },
    });
    expect(object?.stringData).toEqual(plain.stringData);
  });

  test('is opened before variables are substituted', async () => {
    const { objects } = await renderFiles(
      engine,
      { 'a.yaml': encrypted('secret.yaml').replace('name: database', `name: database-${'$'}{env}`) },
      { ...sops, postBuild: { substitute: { env: 'x' } } },
      { decryption: age, variables: { env: 'x' } },
    );
    expect(objects[0]?.metadata.name).toBe('database-x');
    expect(objects[0]?.stringData).toEqual(plain.stringData);
  });

  test('stays as it is when its annotation disables decryption', async () => {
    const manifest = encrypted('secret.yaml').replace(
      'name: database',
      'name: database\n    annotations:\n        kustomize.toolkit.fluxcd.io/decrypt: Disabled',
    );
    const [object] = await objectsOf(manifest);
    expect(object?.stringData).toMatchObject({ password: expect.stringMatching(/^ENC\[/) });
  });

  test('whose plain parts were edited by hand is opened as by Flux, with a warning', async () => {
    const manifest = encrypted('secret.yaml').replace('tier: "1"', 'tier: "2"');
    const { objects, warnings } = await renderFiles(engine, { 'a.yaml': manifest }, sops, {
      decryption: age,
    });
    expect(objects[0]?.metadata.labels).toEqual({ tier: '2' });
    expect(warnings).toEqual([expect.stringMatching(/^a\.yaml: the MAC does not match/)]);
  });

  test('with a value moved to another key is refused', async () => {
    const text = encrypted('secret.yaml');
    const password = /password: (ENC\S+)/.exec(text)?.[1] ?? '';
    const error = await failureOf({ 'a.yaml': text.replace(/port: ENC\S+/, `port: ${password}`) });
    expect(error).toMatchObject({ reason: 'BuildFailed' });
    expect(error.message).toMatch(
      /Secret\/database cannot be decrypted: stringData\.port: .*does not belong here/,
    );
  });

  test('with a plain value among those that should be encrypted is refused', async () => {
    const text = encrypted('secret.yaml').replace(/port: ENC\S+/, 'port: "80"');
    expect((await failureOf({ 'a.yaml': text })).message).toMatch(
      /stringData\.port: a value that should be encrypted is not/,
    );
  });

  test('whose rule is a comment, which kustomize drops, is refused', async () => {
    const error = await failureOf({ 'a.yaml': encrypted('commented.yaml') });
    expect(error.message).toMatch(/ConfigMap\/commented cannot be decrypted: .*comment/);
  });
});

describe('without the right key', () => {
  test('the message names the recipient, and no key', async () => {
    const error = await failureOf({ 'a.yaml': encrypted('secret.yaml') }, other);
    expect(error.message).toMatch(/Secret\/database cannot be decrypted: .*age1\w+: no matching key/);
    expect(error.message).not.toMatch(/AGE-SECRET-KEY/);
  });

  test('a Secret for OpenPGP alone says that such a key is missing', async () => {
    expect((await failureOf({ 'a.yaml': encrypted('secret-pgp.yaml') })).message).toMatch(/no OpenPGP key/);
  });

  test('too few key groups are named as the reason', async () => {
    expect((await failureOf({ 'a.yaml': encrypted('secret-groups.yaml') }, pgp)).message).toMatch(
      /1 of the 2 needed key groups/,
    );
  });

  test('a malformed key file is refused without being quoted', async () => {
    const keys = { ageIdentities: ['AGE-SECRET-KEY-1NOTAKEY'], pgpKeys: [] };
    const error = await failureOf({ 'a.yaml': encrypted('secret.yaml') }, keys);
    expect(error.message).toMatch(/age key file .* malformed/);
    expect(error.message).not.toMatch(/NOTAKEY/);
  });

  test('a Kustomization without spec.decryption leaves encrypted values as they are', async () => {
    const [object] = await objectsOf(encrypted('several.yaml'), age, {});
    expect(JSON.stringify(object)).toMatch(/ENC\[AES256_GCM/);
  });
});

describe('files of a secret generator', () => {
  const generator = (lines: string) =>
    `resources: [cm.yaml]\ngeneratorOptions: {disableNameSuffixHash: true}\nsecretGenerator:\n- name: app\n${lines}`;
  const cm = 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: cm}\n';

  async function dataOf(lines: string, files: Files): Promise<Record<string, string>> {
    const { objects } = await renderFiles(
      engine,
      { 'kustomization.yaml': generator(lines), 'cm.yaml': cm, ...files },
      sops,
      { decryption: age },
    );
    const data = objects.find(({ kind }) => kind === 'Secret')?.data as Record<string, string>;
    return Object.fromEntries(
      Object.entries(data).map(([key, value]) => [key, Buffer.from(value, 'base64').toString('utf8')]),
    );
  }

  test.each(['app.json', 'app.bin', 'app.env', 'secret.yaml', 'several.yaml'])(
    '%s comes out byte for byte as sops decrypts it',
    async (name) => {
      expect(await dataOf(`  files: [${name}]`, { [name]: encrypted(name) })).toEqual({
        [name]: decrypted(name),
      });
    },
  );

  test('app.yaml comes out with its comments, aliases resolved', async () => {
    const data = await dataOf('  files: [app.yaml]', { 'app.yaml': encrypted('app.yaml') });
    expect(withoutInlineComments(data['app.yaml'])).toBe(withoutInlineComments(decrypted('app.yaml')));
  });

  test('become variables from a dotenv file', async () => {
    expect(await dataOf('  envs: [app.env]', { 'app.env': encrypted('app.env') })).toEqual({
      USER: 'app',
      PASSWORD: 'pa=ss word',
      MULTI: 'a\\nb',
      EMPTY: '',
    });
  });

  test('take their format from the key', async () => {
    const data = await dataOf('  files: [config.json=hidden.enc]', { 'hidden.enc': encrypted('app.json') });
    expect(data).toEqual({ 'config.json': decrypted('app.json') });
  });

  test('in a base are decrypted too', async () => {
    const { objects } = await renderFiles(
      engine,
      {
        'top/kustomization.yaml': 'resources: [../base]',
        'base/kustomization.yaml': generator('  files: [app.json]'),
        'base/cm.yaml': cm,
        'base/app.json': encrypted('app.json'),
      },
      { ...sops, path: './top' },
      { decryption: age },
    );
    const data = objects.find(({ kind }) => kind === 'Secret')?.data as Record<string, string>;
    expect(Buffer.from(data['app.json'] ?? '', 'base64').toString()).toBe(decrypted('app.json'));
  });

  test('that were changed after encryption are refused', async () => {
    const error = await failureOf({
      'kustomization.yaml': generator('  files: [app.env]'),
      'cm.yaml': cm,
      'app.env': encrypted('app.env').replace(/^MULTI=.*\n/m, ''),
    });
    expect(error.message).toMatch(/app\.env cannot be decrypted: the MAC does not match/);
  });

  test('that are plain are taken as they are', async () => {
    expect(await dataOf('  envs: [plain.env]', { 'plain.env': 'A=1\n' })).toEqual({ A: '1' });
  });

  test('change the name of the Secret with their plain content, not with their encrypted form', async () => {
    const name = async (text: string, keys?: Decryption) => {
      const { objects } = await renderFiles(
        engine,
        { 'kustomization.yaml': 'secretGenerator: [{name: app, envs: [app.env]}]', 'app.env': text },
        keys ? sops : {},
        keys ? { decryption: keys } : {},
      );
      return objects[0]?.metadata.name;
    };
    expect(await name(encrypted('app.env'), age)).toBe(await name(decrypted('app.env')));
  });
});

test('an encrypted patch is opened before it is used', async () => {
  const { objects } = await renderFiles(
    engine,
    {
      'kustomization.yaml': 'resources: [cm.yaml]\npatches: [{path: patch.yaml}]',
      'cm.yaml': 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: settings}\n',
      'patch.yaml': encrypted('patch.yaml'),
    },
    sops,
    { decryption: age },
  );
  expect(objects[0]?.data).toEqual({ patched: 'by-an-encrypted-patch' });
});

test('an encrypted entry of a plain Secret is opened in the format of its key', async () => {
  const data = { 'app.env': Buffer.from(encrypted('app.env')).toString('base64'), note: 'cGxhaW4=' };
  const manifest = JSON.stringify({ apiVersion: 'v1', kind: 'Secret', metadata: { name: 'x' }, data });
  const [object] = await objectsOf(manifest);
  expect(object?.data).toEqual({
    'app.env': Buffer.from(decrypted('app.env')).toString('base64'),
    note: 'cGxhaW4=',
  });
});

test('what was encrypted is kept out of messages', async () => {
  const error = await renderFiles(
    engine,
    {
      'a.yaml': encrypted('secret.yaml'),
      'b.yaml': `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: "${'$'}{correct}"}\n`,
    },
    { ...sops, postBuild: { substitute: {}, substituteStrategy: 'Always' } },
    { decryption: age },
  ).catch((failure: ReconcileError) => failure);
  expect(String(error)).toMatch(/correct/);
  expect(String(error)).not.toMatch(/correct-horse-battery/);
});

function withoutInlineComments(text = ''): string {
  return text.replace(/^ *# inline\n/m, '').replace(/ # inline$/m, '');
}
