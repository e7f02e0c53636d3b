import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { run } from '../../lib/exec.ts';
import { parseCommit } from '../../lib/git/commit.ts';
import { readTrustedKeys, verifyObject } from '../../lib/git/verify.ts';
import { eventually } from '../support/eventually.ts';
import { imageTeam } from '../support/image-automation.ts';
import { conditionOf } from '../support/kube-objects.ts';
import { type Stage, startStage } from '../support/stage.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

let stage: Stage;
beforeAll(async () => {
  stage = await startStage();
});
afterAll(() => stage?.stop());

/** A manifest of an app with a marked image. */
function app(name: string, namespace: string, image: string): string {
  return `# the app ${name}\nkind: ConfigMap\napiVersion: v1\nmetadata:\n    name: ${name}\ndata:\n    image:   "${image}"   # {"$imagepolicy": "${namespace}:${name}"}\n    # the end\n`;
}

describe('an ImageUpdateAutomation', () => {
  test('commits what its policies have chosen, changes nothing else, and tells it in its status', async () => {
    const team = await imageTeam(stage, { 'other.yaml': 'a: 1\n' });
    const web = app('web', team.name, 'acme/web:1.0.0');
    const before = await team.repository.commit({ 'deep/web.yaml': web });
    await team.choose('web', { name: 'acme/web', tag: '1.1.0' });
    await team.automate({
      git: {
        commit: {
          author: { name: 'Flux bot', email: 'flux@example.com' },
          messageTemplate:
            'Update {{ .Values.where }}\n\n{{ range .Changed.Changes }}{{ .OldValue }} -> {{ .NewValue }}{{ end }}',
          messageTemplateValues: { where: 'images' },
        },
      },
    });
    const found = await team.seen({ web: '1.1.0' });
    const { status, metadata } = found;
    expect(await team.read('deep/web.yaml')).toBe(web.replace('acme/web:1.0.0', 'acme/web:1.1.0'));
    const [commit, parent] = await team.repository.log();
    expect(commit).toMatchObject({ author: 'Flux bot <flux@example.com>', files: ['deep/web.yaml'] });
    expect(commit?.message.trim()).toBe('Update images\n\nacme/web:1.0.0 -> acme/web:1.1.0');
    expect(parent?.id).toBe(before);
    expect(status).toMatchObject({
      lastPushCommit: commit?.id,
      observedSourceRevision: `main@sha1:${commit?.id}`,
      observedPolicies: { web: { name: 'acme/web', tag: '1.1.0' } },
      observedGeneration: metadata.generation,
    });
    expect(conditionOf(found)).toMatchObject({
      status: 'True',
      reason: 'Succeeded',
      message: 'repository up-to-date',
    });
    expect(Date.parse(status?.lastPushTime ?? '')).toBeGreaterThan(Date.now() - 600_000);
    expect(status?.lastAutomationRunTime).toBeDefined();
    const events = await stage.objects.list<{
      message: string;
      reason: string;
      source: { component: string };
    }>('events', team.name);
    expect(events).toContainEqual(
      expect.objectContaining({
        reason: 'Succeeded',
        source: { component: 'image-automation-controller' },
        message: `pushed commit '${commit?.id.slice(0, 7)}' to branch 'main'\nUpdate images\n\nacme/web:1.0.0 -> acme/web:1.1.0`,
      }),
    );
  });

  test('has its push deployed at once, without a webhook', async () => {
    const team = await imageTeam(stage, {});
    await team.repository.commit({ 'app/web.yaml': app('web', team.name, 'acme/web:1.0.0') });
    // No webhook tells of this commit either.
    await stage.objects.patch('gitrepositories', team.name, 'app', {
      metadata: { annotations: { 'reconcile.fluxcd.io/requestedAt': 'after the first commit' } },
    });
    await stage.objects.create('kustomizations', {
      apiVersion: 'kustomize.toolkit.fluxcd.io/v1',
      kind: 'Kustomization',
      metadata: { name: 'app', namespace: team.name },
      spec: {
        interval: '1h',
        path: './app',
        prune: true,
        targetNamespace: team.name,
        sourceRef: { kind: 'GitRepository', name: 'app' },
      },
    });
    const image = async () =>
      (await stage.objects.get<{ data: { image: string } }>('configmaps', team.name, 'web'))?.data.image;
    await eventually('the first version is deployed', async () => (await image()) === 'acme/web:1.0.0');
    await team.automate();
    await team.choose('web', { name: 'acme/web', tag: '1.1.0' });
    await team.send();
    await eventually('the new version is deployed', async () => (await image()) === 'acme/web:1.1.0');
  });

  test('finds what a policy has chosen although nobody told it', async () => {
    const team = await imageTeam(stage, {});
    await team.repository.commit({ 'web.yaml': app('web', team.name, 'acme/web:1.0.0') });
    await team.choose('web', { name: 'acme/web', tag: '1.0.0' });
    await team.automate();
    await team.seen({ web: '1.0.0' });
    await team.choose('web', { name: 'acme/web', tag: '1.2.0' });
    await team.seen({ web: '1.2.0' });
    expect(await team.read('web.yaml')).toContain('acme/web:1.2.0');
  });

  test('leaves alone what is not selected, lies outside its path, or is broken, and names what it left', async () => {
    const team = await imageTeam(stage, {});
    const web = (image: string) => app('web', team.name, image);
    await team.repository.commit({
      'in/web.yaml': web('acme/web:1.0.0'),
      'in/api.yaml': app('api', team.name, 'acme/api:1.0.0'),
      'in/broken.yaml': `${web('acme/web:1.0.0')}  broken: [\n`,
      'inside/web.yaml': web('acme/web:1.0.0'),
      'out/web.yaml': web('acme/web:1.0.0'),
    });
    await team.choose('web', { name: 'acme/web', tag: '1.1.0' });
    await team.choose('api', { name: 'acme/api', tag: '1.1.0' });
    await team.automate({
      policySelector: { matchExpressions: [{ key: 'app', operator: 'In', values: ['web'] }] },
      update: { path: './in', strategy: 'Setters' },
    });
    const found = await team.seen({ web: '1.1.0' });
    const { status } = found;
    expect(status?.observedPolicies).toEqual({ web: { name: 'acme/web', tag: '1.1.0' } });
    const message = conditionOf(found)?.message ?? '';
    expect(message).toMatch(/^repository up-to-date; in\/broken\.yaml is left alone: /);
    expect(message).toContain(`a marker names ${team.name}:api, which does not exist, is not selected`);
    expect((await team.repository.log())[0]?.files).toEqual(['in/web.yaml']);
  });

  test('keeps a version that is newer, and one that somebody has taken back, until there is a newer image', async () => {
    const team = await imageTeam(stage, {});
    const web = (tag: string) => app('web', team.name, `acme/web:${tag}`);
    await team.repository.commit({ 'web.yaml': web('1.5.0') });
    await team.choose('web', { name: 'acme/web', tag: '1.4.0' });
    await team.automate();
    const newer = await team.seen({ web: '1.4.0' });
    expect(await team.read('web.yaml')).toBe(web('1.5.0'));
    expect(conditionOf(newer)?.message).toContain('1.5.0 is newer than 1.4.0');

    await team.choose('web', { name: 'acme/web', tag: '1.6.0' });
    await team.send();
    await team.seen({ web: '1.6.0' });
    expect(await team.read('web.yaml')).toBe(web('1.6.0'));

    await team.repository.commit({ 'web.yaml': web('1.5.0') });
    const taken = await team.ask();
    expect(await team.read('web.yaml')).toBe(web('1.5.0'));
    expect(conditionOf(taken)?.message).toContain('acme/web:1.6.0 was taken back there');

    // A place that is new is no place where it was taken back.
    await team.repository.commit({ 'second.yaml': web('1.0.0') });
    await team.ask();
    expect(await team.read('second.yaml')).toBe(web('1.6.0'));
    expect(await team.read('web.yaml')).toBe(web('1.5.0'));

    await team.choose('web', { name: 'acme/web', tag: '1.7.0' });
    await team.send();
    await team.seen({ web: '1.7.0' });
    expect(await team.read('web.yaml')).toBe(web('1.7.0'));

    await team.repository.commit({ 'web.yaml': web('1.5.0') });
    await team.ask();
    expect(await team.read('web.yaml')).toBe(web('1.5.0'));
    await team.ask({ 'reconcile.fluxcd.io/forceAt': '' });
    expect(await team.read('web.yaml')).toBe(web('1.7.0'));
  });

  test('does nothing while it is suspended, and nothing again while nothing changes', async () => {
    const team = await imageTeam(stage, {});
    await team.repository.commit({ 'web.yaml': app('web', team.name, 'acme/web:1.0.0') });
    await team.choose('web', { name: 'acme/web', tag: '1.1.0' });
    await team.automate({ suspend: true });
    await team.send();
    const head = await team.repository.head();
    await stage.objects.patch('imageupdateautomations', team.name, 'images', { spec: { suspend: false } });
    await team.seen({ web: '1.1.0' });
    const [first] = await team.repository.log();
    expect((await team.repository.log())[1]?.id).toBe(head);
    await team.ask();
    await team.ask();
    expect((await team.repository.log())[0]?.id).toBe(first?.id);
  });

  test('says what is wrong in the Toolkit’s words', async () => {
    const team = await imageTeam(stage, {});
    await team.repository.commit({ 'web.yaml': app('web', team.name, 'acme/web:1.0.0') });
    await team.choose('web', { name: 'acme/web', tag: '1.1.0' });
    const author = { email: 'bot@example.com' };
    await team.automate({ git: { commit: { author, messageTemplate: '{{ .Updated.Images }}' } } });
    await team.failed('RemovedTemplateField', /'\.Updated' was removed; use '\.Changed'/);
    const edit = (spec: Record<string, unknown>) =>
      stage.objects.patch('imageupdateautomations', team.name, 'images', { spec });
    await edit({ git: { commit: { author, messageTemplate: '{{ nosuch }}' } } });
    await team.failed('GitOperationFailed', /function "nosuch" does not exist/);
    await edit({ update: { path: '../other' } });
    await team.failed('UpdateFailed', /leads out of the repository/);
    await edit({ update: { path: './nowhere' } });
    await team.failed('UpdateFailed', /"\.\/nowhere" is not in commit/);
    await edit({ update: { path: null }, policySelector: { matchLabels: { 'a b': 'c' } } });
    await team.failed('InvalidPolicySelector', /"a b" can be no label/);
    await edit({ policySelector: null, sourceRef: { name: 'missing' } });
    await team.failed('SourceManagerFailed', /does not exist/);
    await edit({ sourceRef: { name: 'app' }, git: { push: { refspec: 'other:refs/heads/x' } } });
    await team.failed('InvalidSourceConfiguration', /must begin with one of HEAD, main/);
    await edit({ git: { push: null, checkout: { ref: { tag: 'v1' } } } });
    await team.failed('InvalidSourceConfiguration', /no branch to push to/);
    await edit({ git: { push: null, checkout: { ref: { tag: null, branch: 'nowhere' } } } });
    await team.failed('GitOperationFailed', /has no refs\/heads\/nowhere/);
    await edit({
      git: { checkout: null, commit: { messageTemplate: null, signingKey: { secretRef: { name: 'git' } } } },
    });
    await team.failed('GitOperationFailed', /has no git\.asc/);
    await edit({ git: { commit: { signingKey: null } } });
    await team.seen({ web: '1.1.0' });
    expect(await team.read('web.yaml')).toContain('acme/web:1.1.0');
  });

  test('signs its commits with the key of a Secret', async () => {
    const team = await imageTeam(stage, {});
    await team.repository.commit({ 'web.yaml': app('web', team.name, 'acme/web:1.0.0') });
    await team.choose('web', { name: 'acme/web', tag: '1.1.0' });
    const { path, remove } = await temporaryDirectory();
    try {
      await run('ssh-keygen', ['-q', '-t', 'ed25519', '-N', 'a secret word', '-f', join(path, 'key')]);
      await stage.objects.create('secrets', {
        apiVersion: 'v1',
        kind: 'Secret',
        metadata: { name: 'signing', namespace: team.name },
        stringData: { identity: await readFile(join(path, 'key'), 'utf8'), password: 'a secret word' },
      });
      await team.automate({
        git: {
          commit: {
            author: { email: 'bot@example.com' },
            signingKey: { type: 'ssh', secretRef: { name: 'signing' } },
          },
        },
      });
      const { status } = await team.seen({ web: '1.1.0' });
      await run('git', ['clone', '--quiet', '--bare', team.repository.urlWithToken, 'repo.git'], {
        cwd: path,
      });
      const { stdout } = await run('git', ['cat-file', 'commit', status?.lastPushCommit ?? ''], {
        cwd: join(path, 'repo.git'),
      });
      const commit = parseCommit(stdout);
      const keys = readTrustedKeys({ 'bot.sshpub': await readFile(join(path, 'key.pub')) });
      const deps = { run, temporaryDirectory: path };
      expect(await verifyObject(deps, commit, keys, AbortSignal.timeout(10_000))).toMatch(/^SHA256:/);
    } finally {
      await remove();
    }
  });

  test('does not push with the provider’s token to the operator’s repository from a namespace of somebody else', async () => {
    const team = await imageTeam(stage, {});
    await stage.root.commit({ 'x/web.yaml': app('web', team.name, 'acme/web:1.0.0') });
    await team.choose('web', { name: 'acme/web', tag: '1.1.0' });
    await team.automate({
      sourceRef: { kind: 'GitRepository', name: 'flux-system', namespace: 'flux-system' },
    });
    await team.failed('GitOperationFailed', /asks for credentials|no such repository/);
    expect(await stage.root.read('x/web.yaml')).toContain('acme/web:1.0.0');
  });
});
