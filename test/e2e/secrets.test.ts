import { execFile } from 'node:child_process';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import process from 'node:process';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { KubernetesObject } from '../../lib/core/object.ts';
import { Canaries, watchChildren } from '../support/canaries.ts';
import { useGitea } from '../support/cluster.ts';
import { eventually } from '../support/eventually.ts';
import { configMap, gitRepository, kustomization, namespace, yaml } from '../support/fleet-repository.ts';
import type { GiteaClient } from '../support/gitea-client.ts';
import type { GiteaRepository } from '../support/gitea-repository.ts';
import { conditionOf, type Objects, objectsOf, type ToolkitObject } from '../support/kube-objects.ts';
import { kubeCall } from '../support/kube-request.ts';
import { type Kubernetes, kubeconfigFor, startKubernetes } from '../support/kubernetes.ts';
import { type Slipway, startSlipway, WEBHOOK_SECRET } from '../support/slipway.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

const fixture = (name: string) => readFile(join(import.meta.dirname, '../fixtures/sops', name), 'utf8');
const dollar = (name: string) => `$${`{${name}}`}`;
const run = promisify(execFile);

const canaries = new Canaries();
const plain = canaries.plant('a value of stringData');
const encoded = canaries.plant('a value of data');
const invalid = canaries.plant('a value of a Secret that the server refuses');
const broken = canaries.plant('a value in a file that cannot be read');
const variable = canaries.plant('a variable from a Secret');
const urlPassword = canaries.plant('the password of a Git URL');
const deadPassword = canaries.plant('the password of the URL of a server that is away');
const gitPassword = canaries.plant('the password for Git in a Secret');
const remoteToken = canaries.plant('the token of a kubeconfig for an API that is away');
const execToken = canaries.plant('the token of a kubeconfig that is refused');
const garbled = canaries.plant('a kubeconfig that is no YAML');
const wrongToken = canaries.plant('the token of the provider, after its rotation');
const refusedToken = canaries.plant('the token of a kubeconfig that the server refuses');
const query = canaries.plant('the query of a webhook');
canaries.know('the webhook secret', WEBHOOK_SECRET);
canaries.know('the plaintext of SOPS', 'correct-horse-battery');
canaries.know('the second plaintext of SOPS', 'secret-certificate');

/** What becomes of each Kustomization: part of the message, none when it is ready. */
const fates: Record<string, string> = {
  plain: '',
  'sops-fine': '',
  'invalid-secret': 'Secret/apps/invalid',
  'broken-file': 'build of',
  'invalid-label': 'ConfigMap/apps/labelled',
  'invalid-port': 'Service/apps/ported',
  'sops-refused': 'Vault/apps/database',
  unhealthy: 'Deployment/apps/unhealthy',
  'remote-away': 'ECONNREFUSED',
  'remote-exec': 'exec',
  'remote-garbled': 'kubeconfig of cluster main/apps/garbled',
};

describe('a secret that Slipway meets', () => {
  let gitea: GiteaClient;
  let repository: GiteaRepository;
  let kubernetes: Kubernetes;
  let objects: Objects;
  let slipway: Slipway;
  let directory: string;
  const given = process.env.TMPDIR;
  const commits: string[] = [];
  const pages: string[] = [];
  const commands: string[] = [];
  let children: string[] = [];
  const cleanUp: (() => Promise<unknown>)[] = [];

  beforeAll(async () => {
    const temporary = await temporaryDirectory();
    cleanUp.push(temporary.remove);
    directory = temporary.path;
    [gitea, kubernetes] = await Promise.all([useGitea(), startKubernetes()]);
    cleanUp.unshift(() => kubernetes.stop());
    canaries.know('the token of the provider', gitea.admin.token);
    canaries.know('the token of the kubeconfig', kubernetes.token);
    objects = objectsOf(kubernetes);
    repository = await gitea.createRepository('secrets-story', { files: await files() });
    await objects.namespace('apps');
    await plantSecrets();
    // Whatever is written to the temporary directory of the system from here on is looked through at the end.
    process.env.TMPDIR = join(directory, 'tmp');
    await mkdir(process.env.TMPDIR);
    const stopWatching = watchChildren();
    slipway = await startSlipway({
      directory: join(directory, 'fleet'),
      clusters: { main: { kubeconfig: kubernetes.kubeconfig } },
      repository: repository.url,
      gitea,
    });
    await repository.createWebhook(`${slipway.url}/webhooks/gitea`, WEBHOOK_SECRET);
    await tellTheStory();
    await visitPages();
    await runCommands();
    children = stopWatching();
    await slipway.stop();
  });

  afterAll(async () => {
    if (given === undefined) delete process.env.TMPDIR;
    else process.env.TMPDIR = given;
    for (const each of cleanUp) await each();
  });

  /** All Kustomizations come to their fate, then the provider's token is rotated to one that it refuses. */
  async function tellTheStory(): Promise<void> {
    await eventually('the unhealthy Deployment', () => objects.get('deployments', 'apps', 'unhealthy'), {
      explain: async () => JSON.stringify(await statuses(), null, 1),
    });
    await objects.patch('deployments', 'apps', 'unhealthy', stuck(variable), 'status');
    await everyFate();
    commits.push(await repository.head());
    const again = Object.entries(await files()).filter(([path]) =>
      /^(invalid|broken|remote|unhealthy)/.test(path),
    );
    commits.push(
      await repository.commit({
        'clusters/main/extra.yaml': yaml(configMap('extra', 'apps', {})),
        ...Object.fromEntries(again.map(([path, text]) => [path, `${text}# again\n`])),
      }),
    );
    await eventually('the second commit', () => objects.get('configmaps', 'apps', 'extra'));
    await everyFate();
    await eventually('a red status for what has failed by the second commit', async () => {
      const red = (await repository.statuses(commits[1] ?? '')).filter(({ status }) => status === 'failure');
      return red.length > 5;
    });
    await fetch(`${slipway.url}/webhooks/gitea?secret=${query}`, {
      method: 'POST',
      body: `{"a":"${query}"}`,
    });
    await writeFile(join(directory, 'fleet', 'token'), wrongToken);
    commits.push(await repository.commit({ 'README.md': 'nobody may fetch this\n' }));
    await eventually('a root source that may not be fetched', async () => {
      const root = await objects.get('gitrepositories', 'flux-system', 'flux-system');
      return conditionOf(root)?.status === 'False';
    });
    await eventually('a provider that refuses statuses', () =>
      slipway.log.some((line) => /status/.test(line) && /401/.test(line)),
    );
  }

  async function everyFate(): Promise<void> {
    await eventually(
      'every Kustomization has met its fate',
      async () =>
        (
          await Promise.all(
            Object.entries(fates).map(async ([name, part]) => {
              const ready = conditionOf(await objects.get('kustomizations', 'apps', name));
              return part === ''
                ? ready?.status === 'True'
                : ready?.status === 'False' && ready.message.includes(part);
            }),
          )
        ).every(Boolean),
      { deadlineMs: 180_000, explain: async () => JSON.stringify(await statuses(), null, 1) },
    );
    await eventually('every source has failed', async () =>
      (await objects.list('gitrepositories', 'apps')).every((one) => conditionOf(one)?.status === 'False'),
    );
  }

  /** Everything of Toolkit objects but what users wrote into their spec. */
  async function statuses(): Promise<unknown[]> {
    const all = [...(await objects.list('kustomizations')), ...(await objects.list('gitrepositories'))];
    return all.map(({ metadata, status }) => ({ name: metadata.name, labels: metadata.labels, status }));
  }

  async function visitPages(): Promise<void> {
    const runs = await slipway.ctx.index.runs.list({ limit: 500 });
    pages.push(JSON.stringify(runs));
    for (const path of [
      '/',
      '/runs',
      '/healthz',
      '/readyz',
      ...runs.map(({ cluster, id }) => `/runs/${cluster}/${id}`),
    ]) {
      const answer = await fetch(`${slipway.url}${path}`);
      pages.push(`${path} ${await answer.text()}`);
    }
  }

  async function runCommands(): Promise<void> {
    const cli = join(import.meta.dirname, '../../functions/cli.ts');
    const options = { env: { PATH: process.env.PATH, HOME: directory }, cwd: directory };
    for (const command of [
      ['get', '-o', 'json'],
      ['get', 'runs', '-o', 'json', '--limit', '200'],
      ['tree', 'ks', 'flux-system'],
      ['history'],
      ['dead-letters'],
    ]) {
      const args = [cli, '--config', slipway.open.fleet.path, ...command];
      const { stdout, stderr } = await run(process.execPath, args, options).catch((error) => error);
      commands.push(`${command.join(' ')}: ${stdout}${stderr}`);
    }
    // A kubeconfig that cannot be read, and one that the server refuses.
    const fleet = JSON.parse(await readFile(slipway.open.fleet.path, 'utf8'));
    const refused = kubeconfigFor('main', { ...kubernetes.connection, token: refusedToken });
    const texts = { garbled: `users: [token: ${garbled}`, refused };
    for (const [name, text] of Object.entries(texts)) {
      const file = join(directory, 'fleet', `${name}.kubeconfig`);
      await writeFile(file, text);
      fleet.clusters[0].kubeconfig = `file:${file}`;
      fleet.storage = { directory: `./${name}` };
      const config = join(directory, 'fleet', `${name}.yaml`);
      await writeFile(config, JSON.stringify(fleet));
      const failure = await run(process.execPath, [cli, '--config', config, 'get'], options).catch(
        (error) => error,
      );
      expect(failure).toBeInstanceOf(Error);
      expect(failure.stderr).toMatch(name === 'garbled' ? /kubeconfig of cluster main/ : /Unauthorized/);
      commands.push(`${failure.stdout}${failure.stderr}`);
    }
  }

  async function plantSecrets(): Promise<void> {
    const secret = (name: string, data: Record<string, string>) =>
      objects.create('secrets', {
        apiVersion: 'v1',
        kind: 'Secret',
        metadata: { name, namespace: 'apps' },
        stringData: data,
      } as KubernetesObject);
    const away = { ...kubernetes.connection, server: 'https://127.0.0.1:1', token: remoteToken };
    const exec = JSON.parse(kubeconfigFor('main', { ...kubernetes.connection, token: execToken }));
    exec.users[0].user.exec = { apiVersion: 'client.authentication.k8s.io/v1', command: 'id' };
    await secret('variables', { TOKEN: variable });
    await secret('age', { 'age.agekey': await fixture('age.agekey') });
    await secret('git', { username: 'nobody', password: gitPassword });
    await secret('away', { value: kubeconfigFor('main', away) });
    await secret('exec', { value: JSON.stringify(exec) });
    await secret('garbled', { value: `users: [token: ${garbled}` });
    canaries.know('the key for SOPS', /AGE-SECRET-KEY-1\S+/.exec(await fixture('age.agekey'))?.[0] ?? '');
  }

  async function files(): Promise<Record<string, string>> {
    const encrypted = await fixture('encrypted/secret.yaml');
    const object = (kind: string, name: string, more: object) =>
      yaml({ apiVersion: 'v1', kind, metadata: { name, namespace: 'apps' }, ...more });
    const withVariable = { postBuild: { substituteFrom: [{ kind: 'Secret', name: 'variables' }] } };
    const decrypting = { decryption: { provider: 'sops', secretRef: { name: 'age' } } };
    const specs: Record<string, object> = {
      'sops-fine': { ...decrypting, targetNamespace: 'apps' },
      'sops-refused': decrypting,
      'invalid-label': withVariable,
      'invalid-port': withVariable,
      unhealthy: { ...withVariable, wait: true, timeout: '2m' },
      'remote-away': { kubeConfig: { secretRef: { name: 'away' } } },
      'remote-exec': { kubeConfig: { secretRef: { name: 'exec' } } },
      'remote-garbled': { kubeConfig: { secretRef: { name: 'garbled' } } },
    };
    const sourceRef = { kind: 'GitRepository', name: 'flux-system', namespace: 'flux-system' };
    const all = Object.keys(fates).map((name) =>
      kustomization(name, `./${name}`, { sourceRef, retryInterval: '5s', ...specs[name] }, 'apps'),
    );
    const url = repositoryUrl();
    const sources = [
      gitRepository('by-url', 'apps', url.replace('://', `://nobody:${urlPassword}@`)),
      gitRepository('by-secret', 'apps', url, { secretRef: { name: 'git' } }),
      gitRepository('away', 'apps', `http://nobody:${deadPassword}@127.0.0.1:1/a/b.git`),
    ];
    const remote = yaml(configMap('remote', 'apps', {}));
    return {
      'clusters/main/all.yaml': yaml(namespace('apps'), definition(), ...all, ...sources),
      'plain/a.yaml': object('Secret', 'plain', {
        stringData: { a: plain },
        data: { b: Buffer.from(encoded).toString('base64') },
      }),
      'sops-fine/a.yaml': encrypted,
      'sops-refused/a.yaml': encrypted
        .replace('apiVersion: v1\nkind: Secret', 'apiVersion: example.org/v1\nkind: Vault')
        .replace('name: database\n', 'name: database\n    namespace: apps\n')
        .replace('type: Opaque\n', ''),
      'invalid-secret/a.yaml': object('Secret', 'invalid', { data: { a: `${invalid} not base64!` } }),
      'broken-file/a.yaml': `kind: Secret\nstringData:\n  a: ${broken}: [\n ${broken}\n`,
      'invalid-label/a.yaml': yaml({
        apiVersion: 'v1',
        kind: 'ConfigMap',
        metadata: { name: 'labelled', namespace: 'apps', labels: { a: `no label ${dollar('TOKEN')}!` } },
      }),
      'invalid-port/a.yaml': object('Service', 'ported', { spec: { ports: [{ port: dollar('TOKEN') }] } }),
      'unhealthy/a.yaml': yaml(deployment()),
      'remote-away/a.yaml': remote,
      'remote-exec/a.yaml': remote,
      'remote-garbled/a.yaml': remote,
    };
  }

  function repositoryUrl(): string {
    return `${gitea.url}/${gitea.admin.user}/secrets-story.git`;
  }

  test('is found by the search wherever it does stand', async () => {
    expect(canaries.foundUnder(join(directory, 'fleet'), (path) => path.includes('/data/'))).toEqual(
      expect.arrayContaining([
        expect.stringContaining('the token of the kubeconfig'),
        expect.stringContaining('the webhook secret'),
      ]),
    );
    const secrets = await kubeCall(kubernetes, 'GET', '/api/v1/namespaces/apps/secrets');
    expect(canaries.foundIn(JSON.stringify(secrets))).toEqual(
      expect.arrayContaining([
        'a value of stringData',
        'a value of data',
        'the plaintext of SOPS',
        'a variable from a Secret',
      ]),
    );
  });

  test('is in no line of the log', () => {
    expect(slipway.log.length).toBeGreaterThan(50);
    expect(canaries.foundIn(slipway.log.join(''))).toEqual([]);
  });

  test('is nowhere in what is stored but in the artifacts, which hold what Git holds', async () => {
    const stored = await slipway.stored();
    const isArtifact = (path: string) => /\/blobs\/artifacts\/.*\.tar$/.test(path);
    expect(canaries.foundUnder(stored).some((found) => found.includes('.tar: a value of stringData'))).toBe(
      true,
    );
    expect(canaries.foundUnder(stored, isArtifact)).toEqual([]);
    // What came of a render or a decryption is in no artifact either.
    const rendered = new Canaries();
    rendered.know('a variable from a Secret', variable);
    rendered.know('the plaintext of SOPS', 'correct-horse-battery');
    expect(rendered.foundUnder(stored)).toEqual([]);
  });

  test('is left in no temporary file', () => {
    expect(canaries.foundUnder(join(directory, 'tmp'))).toEqual([]);
  });

  test('is in no condition, status or event of the cluster', async () => {
    const events = await objects.list<KubernetesObject>('events');
    expect(events.length).toBeGreaterThan(Object.keys(fates).length);
    expect(canaries.foundIn(JSON.stringify(events))).toEqual([]);
    expect(canaries.foundIn(JSON.stringify(await statuses()))).toEqual([]);
    expect(canaries.foundIn(JSON.stringify(await objects.list<ToolkitObject>('leases')))).toEqual([]);
  });

  test('is in no status of a commit', async () => {
    const all = (await Promise.all(commits.map((commit) => repository.statusHistory(commit)))).flat();
    expect(all.filter(({ status }) => status === 'failure').length).toBeGreaterThan(5);
    expect(canaries.foundIn(JSON.stringify(all))).toEqual([]);
  });

  test('is on no page', () => {
    expect(pages.length).toBeGreaterThan(Object.keys(fates).length);
    expect(pages.join('')).toContain('invalid-label');
    expect(canaries.foundIn(pages.join('\n'))).toEqual([]);
  });

  test('is in no output of a command', () => {
    expect(commands.join('\n')).toContain('invalid-label');
    expect(canaries.foundIn(commands.join('\n'))).toEqual([]);
  });

  test('is in no argument and no environment of a process', () => {
    expect(children.some((text) => text.includes('git'))).toBe(true);
    expect(canaries.foundIn(children.join('\n'))).toEqual([]);
  });
});

function definition(): object {
  const texts = { type: 'object', additionalProperties: { type: 'string', pattern: '^refused$' } };
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: 'vaults.example.org' },
    spec: {
      group: 'example.org',
      names: { kind: 'Vault', plural: 'vaults', singular: 'vault' },
      scope: 'Namespaced',
      versions: [
        {
          name: 'v1',
          served: true,
          storage: true,
          schema: { openAPIV3Schema: { type: 'object', properties: { data: texts, stringData: texts } } },
        },
      ],
    },
  };
}

function deployment(): object {
  const labels = { app: 'unhealthy' };
  const env = [{ name: 'TOKEN', value: dollar('TOKEN') }];
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'unhealthy', namespace: 'apps' },
    spec: {
      selector: { matchLabels: labels },
      template: { metadata: { labels }, spec: { containers: [{ name: 'a', image: 'a', env }] } },
    },
  };
}

/** The status of a Deployment that has given up, quoting a value. */
function stuck(value: string): object {
  const message = `the program ended: password ${value} is refused`;
  return {
    status: {
      observedGeneration: 1,
      replicas: 1,
      conditions: [{ type: 'Progressing', status: 'False', reason: 'ProgressDeadlineExceeded', message }],
    },
  };
}
