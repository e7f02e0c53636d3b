import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Canaries, watchChildren } from '../support/canaries.ts';
import { runCli } from '../support/cli.ts';
import { eventually } from '../support/eventually.ts';
import { imageTeam } from '../support/image-automation.ts';
import { type ImageStage, startImageStage } from '../support/image-stage.ts';
import { conditionOf } from '../support/kube-objects.ts';
import { freePort } from '../support/ports.ts';

/** What opens registries and Git for images, right and wrong, and what is left of it behind. */
describe('a secret of an image', () => {
  const canaries = new Canaries();
  const refused = canaries.plant('a password that the registry refuses');
  const proxied = canaries.plant('the password of a proxy that is away');
  const hidden = canaries.plant('a password of a registry that nobody asks');
  const signing = canaries.plant('a signing key that is none');
  canaries.know('the password of the registry', 'the-password-of-the-registry');
  let images: ImageStage;
  let children: string[];
  let objects: string;
  let commands: string;

  beforeAll(async () => {
    images = await startImageStage({ webhook: true });
    const { stage, registry } = images;
    const stopWatching = watchChildren();
    const team = await images.team();
    const secret = (name: string, stringData: Record<string, string>, type?: string) =>
      stage.objects.create('secrets', {
        apiVersion: 'v1',
        kind: 'Secret',
        metadata: { name, namespace: team.name },
        ...(type === undefined ? {} : { type }),
        stringData,
      });
    const login = (name: string, password: string) => {
      const auths = {
        [registry.host]: { username: 'user', password },
        'other.example.com': { username: 'u', password: hidden },
      };
      return secret(
        name,
        { '.dockerconfigjson': JSON.stringify({ auths }) },
        'kubernetes.io/dockerconfigjson',
      );
    };
    await login('wrong', refused);
    await secret('proxy', {
      address: `http://127.0.0.1:${await freePort()}`,
      username: 'u',
      password: proxied,
    });
    await registry.push(`${team.name}/app`, '1.0.0');
    await team.repository();
    await team.policy({ policy: { semver: { range: '1.x' } }, digestReflectionPolicy: 'IfNotPresent' });
    await team.repository({ secretRef: { name: 'wrong' } }, 'wrong');
    await team.repository({ proxySecretRef: { name: 'proxy' } }, 'proxied');
    await team.latest('1.0.0');
    await registry.push(`${team.name}/app`, '1.1.0');
    await team.latest('1.1.0');

    const shop = await imageTeam(stage, { 'a.txt': 'a' });
    canaries.know('the token of Gitea', stage.gitea.admin.token);
    await shop.repository.commit({
      'web.yaml': `image: acme/web:1.0.0 # {"$imagepolicy": "${shop.name}:web"}\n`,
    });
    await shop.choose('web', { name: 'acme/web', tag: '1.1.0' });
    await shop.automate();
    await shop.seen({ web: '1.1.0' });
    await stage.objects.create('secrets', {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name: 'key', namespace: shop.name },
      stringData: { 'git.asc': signing, passphrase: signing },
    });
    const commit = {
      author: { name: 'bot', email: 'bot@example.com' },
      signingKey: { secretRef: { name: 'key' } },
    };
    await stage.objects.patch('imageupdateautomations', shop.name, 'images', { spec: { git: { commit } } });
    await shop.choose('web', { name: 'acme/web', tag: '1.2.0' });
    await shop.send();
    await shop.failed('GitOperationFailed', /cannot sign with Secret/);

    for (const name of ['wrong', 'proxied'])
      await eventually(
        `${name} has failed`,
        async () => conditionOf(await team.getRepository(name))?.status === 'False',
      );
    children = stopWatching();
    const kinds = [
      'imagerepositories',
      'imagepolicies',
      'imageupdateautomations',
      'gitrepositories',
      'events',
    ] as const;
    objects = JSON.stringify(await Promise.all(kinds.map((kind) => stage.objects.list(kind))));
    const { fleet } = stage.slipway.open;
    const { stdout, stderr } = await runCli(['get', 'images', '-c', fleet.path], {
      cwd: fleet.storage.directory,
    });
    commands = stdout + stderr;
  });
  afterAll(() => images?.stop());

  test('is found by the search wherever it does stand', async () => {
    const secrets = JSON.stringify(await images.stage.objects.list('secrets'));
    expect(canaries.foundIn(secrets)).toHaveLength(6);
  });

  test('is in no line of the log', () => {
    const { log } = images.stage.slipway;
    expect(log.join('')).toContain('ImageRepository');
    expect(canaries.foundIn(log.join(''))).toEqual([]);
  });

  test('is in no condition, status or event of the cluster', () => {
    expect(objects).toMatch(/AuthenticationFailed|ReadOperationFailed/);
    expect(canaries.foundIn(objects)).toEqual([]);
  });

  test('is nowhere in what is stored', async () => {
    expect(canaries.foundUnder(await images.stage.slipway.stored())).toEqual([]);
  });

  test('is in no output of a command, and in no argument or environment of a process', () => {
    expect(commands).toContain('wrong');
    expect(canaries.foundIn(commands)).toEqual([]);
    expect(children.some((text) => text.includes('git'))).toBe(true);
    expect(canaries.foundIn(children.join('\n'))).toEqual([]);
  });
});
