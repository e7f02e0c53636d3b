import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Fleet } from '../../../lib/fleet/fleet.ts';
import { FleetError, loadFleet } from '../../../lib/fleet/load-fleet.ts';

const PATH = '/etc/slipway/slipway.yaml';

const FULL = `
clusters:
  - name: staging
    kubeconfig: file:./staging.kubeconfig
    context: admin
    source:
      url: https://github.com/acme/fleet.git
      branch: main
      interval: 30s
      provider: github
      path: ./clusters/staging
      prune: false
    defaultServiceAccount: deployer
    noCrossNamespaceRefs: true
    allowRemoteBases: true
    allow: { exec: true, files: true, insecure: true }
  - name: production
    kubeconfig: env:PRODUCTION_KUBECONFIG
    source: { url: "ssh://git@git.example.com:2222/acme/fleet.git", semver: ">=1.0.0", path: ./clusters/production }
providers:
  - name: github
    type: github
    app: { id: 123, installationId: "456", privateKey: file:app.pem }
    webhookSecrets: [env:NEW_SECRET, env:OLD_SECRET]
  - name: gitea
    type: gitea
    url: https://git.example.com/
    username: robot
    token: env:GITEA_TOKEN
registries:
  - { name: hub, type: dockerhub, webhookSecrets: [env:NEW_HOOK, env:OLD_HOOK] }
  - { name: own, type: distribution, host: "Registry.internal:5000", webhookSecrets: [file:hook] }
  - { name: google, type: gcr, host: europe-docker.pkg.dev, identity: { email: a@b.example, audience: slipway } }
network: { allow: [10.0.0.0/8, 192.168.1.1, "fd00::/8", git.internal, "*.corp.example"] }
limits:
  concurrency: 4
  requestTimeout: 10s
  renderTimeout: 1m30s
  renderSize: 1Gi
  artifactSize: 512Ki
  artifactFiles: 10
server: { listen: "127.0.0.1:9000", url: https://slipway.example.com/ }
storage: { directory: /var/lib/slipway, key: env:KEY }
statuses: { objects: all, prefix: deploy }
sweep: { interval: 5m }
`;

function problems(text: string): string[] {
  try {
    loadFleet(text, { path: 'slipway.yaml' });
    return [];
  } catch (error) {
    if (!(error instanceof FleetError)) throw error;
    return error.message.split('\n');
  }
}

describe('loadFleet', () => {
  test('reads every setting, with durations in ms, sizes in bytes and absolute paths', () => {
    expect(loadFleet(FULL, { path: PATH })).toEqual({
      path: PATH,
      baseDirectory: '/etc/slipway',
      clusters: [
        {
          name: 'staging',
          kubeconfig: 'file:./staging.kubeconfig',
          context: 'admin',
          source: {
            url: 'https://github.com/acme/fleet.git',
            branch: 'main',
            interval: '30s',
            provider: 'github',
            path: './clusters/staging',
            prune: false,
          },
          defaultServiceAccount: 'deployer',
          noCrossNamespaceRefs: true,
          allowRemoteBases: true,
          registryIdentities: [],
          allow: { exec: true, files: true, insecure: true },
        },
        {
          name: 'production',
          kubeconfig: 'env:PRODUCTION_KUBECONFIG',
          source: {
            url: 'ssh://git@git.example.com:2222/acme/fleet.git',
            semver: '>=1.0.0',
            interval: '1m',
            path: './clusters/production',
            prune: true,
          },
          noCrossNamespaceRefs: false,
          allowRemoteBases: false,
          registryIdentities: [],
          allow: { exec: false, files: false, insecure: false },
        },
      ],
      providers: [
        {
          name: 'github',
          type: 'github',
          url: 'https://github.com',
          app: { id: '123', installationId: '456', privateKey: 'file:app.pem' },
          webhookSecrets: ['env:NEW_SECRET', 'env:OLD_SECRET'],
        },
        {
          name: 'gitea',
          type: 'gitea',
          url: 'https://git.example.com',
          username: 'robot',
          token: 'env:GITEA_TOKEN',
          webhookSecrets: [],
        },
      ],
      registries: [
        {
          name: 'hub',
          type: 'dockerhub',
          host: 'index.docker.io',
          webhookSecrets: ['env:NEW_HOOK', 'env:OLD_HOOK'],
        },
        { name: 'own', type: 'distribution', host: 'registry.internal:5000', webhookSecrets: ['file:hook'] },
        {
          name: 'google',
          type: 'gcr',
          host: 'europe-docker.pkg.dev',
          webhookSecrets: [],
          identity: { email: 'a@b.example', audience: 'slipway' },
        },
      ],
      network: { allow: ['10.0.0.0/8', '192.168.1.1', 'fd00::/8', 'git.internal', '*.corp.example'] },
      limits: {
        concurrency: 4,
        requestTimeout: 10_000,
        renderTimeout: 90_000,
        renderSize: 1024 ** 3,
        artifactSize: 512 * 1024,
        artifactFiles: 10,
      },
      server: { listen: { host: '127.0.0.1', port: 9000 }, url: 'https://slipway.example.com' },
      storage: { directory: '/var/lib/slipway', key: 'env:KEY' },
      statuses: { objects: 'all', prefix: 'deploy' },
      sweep: { interval: 300_000 },
    } satisfies Fleet);
  });

  test.each(['', '# nothing\n', 'clusters:\nproviders:\nlimits:\nserver:\n', '{}'])(
    'sets all defaults when nothing is given: %j',
    (text) => {
      expect(loadFleet(text, { path: PATH })).toEqual({
        path: PATH,
        baseDirectory: '/etc/slipway',
        clusters: [],
        providers: [],
        registries: [],
        network: { allow: [] },
        limits: {
          concurrency: 24,
          requestTimeout: 30_000,
          renderTimeout: 120_000,
          renderSize: 64 * 1024 ** 2,
          artifactSize: 256 * 1024 ** 2,
          artifactFiles: 100_000,
        },
        server: { listen: { host: '', port: 8080 } },
        storage: { directory: '/etc/slipway/.slipway' },
        statuses: { objects: 'failing', prefix: 'slipway' },
        sweep: { interval: 60_000 },
      } satisfies Fleet);
    },
  );

  test('lets a cluster be reached in one way: by a kubeconfig, or as one of EKS', () => {
    const source = 'source: { url: "https://github.com/acme/fleet.git" }';
    const text = (how: string) => `clusters:\n  - name: prod\n    ${how}\n    ${source}\n`;
    const eks = loadFleet(text('eks: { name: prod-1, region: eu-west-1 }'), { path: 'slipway.yaml' });
    expect(eks.clusters[0]?.eks).toEqual({ name: 'prod-1', region: 'eu-west-1' });
    expect(problems(text('eks: { name: prod-1 }\n    kubeconfig: file:x'))).toEqual([
      'slipway.yaml:3:5: clusters[0].eks: cannot be given together with kubeconfig',
    ]);
    expect(problems(text('eks: { name: "../x", region: Europe }'))).toEqual([
      'slipway.yaml:3:18: clusters[0].eks.name: must be the name of an EKS cluster',
      'slipway.yaml:3:34: clusters[0].eks.region: must be a region such as eu-west-1',
    ]);
  });

  test('lets a role be assumed for a cluster of EKS, by its whole ARN alone', () => {
    const source = 'source: { url: "https://github.com/acme/fleet.git" }';
    const text = (eks: string) => `clusters:\n  - name: prod\n    eks:\n      name: x\n${eks}    ${source}\n`;
    const roleArn = 'arn:aws-cn:iam::123456789012:role/teams/deployer';
    const fleet = loadFleet(text(`      roleArn: ${roleArn}\n      externalId: acme/7\n`), { path: PATH });
    expect(fleet.clusters[0]?.eks).toEqual({ name: 'x', roleArn, externalId: 'acme/7' });
    const noArn = 'must be the ARN of a role such as arn:aws:iam::123456789012:role/deployer';
    for (const wrong of [
      'deployer',
      'arn:aws:iam::123456789012:role/*',
      'arn:aws:iam::123456789012:user/ada',
    ])
      expect(problems(text(`      roleArn: '${wrong}'\n`))).toEqual([
        `slipway.yaml:5:16: clusters[0].eks.roleArn: ${noArn}`,
      ]);
    expect(problems(text('      externalId: acme\n'))).toEqual([
      'slipway.yaml:5:19: clusters[0].eks.externalId: is for roleArn, which is not given',
    ]);
    expect(problems(text(`      roleArn: ${roleArn}\n      externalId: "a b"\n`))).toEqual([
      'slipway.yaml:6:19: clusters[0].eks.externalId: must have 2 to 1224 letters, digits and signs of _+=,.@:/-',
    ]);
  });

  test('lets a cluster be named in GKE or AKS, and says at its line what no cloud would take', () => {
    const source = 'source: { url: "https://github.com/acme/fleet.git" }';
    const text = (way: string, fields: string) =>
      `clusters:\n  - name: prod\n    ${way}:\n${fields}    ${source}\n`;
    const id = '11111111-2222-3333-4444-555555555555';
    const gke = loadFleet(
      text('gke', '      project: acme\n      location: europe-west1\n      name: shop\n'),
      {
        path: PATH,
      },
    );
    expect(gke.clusters[0]?.gke).toEqual({ project: 'acme', location: 'europe-west1', name: 'shop' });
    const aks = loadFleet(
      text('aks', `      subscription: ${id}\n      resourceGroup: rg_(1)\n      name: shop\n`),
      { path: PATH },
    );
    expect(aks.clusters[0]?.aks).toEqual({
      subscription: id,
      resourceGroup: 'rg_(1)',
      name: 'shop',
      publicName: false,
    });
    expect(
      problems(
        text(
          'gke',
          `      project: ../x
      location: Europe
      name: Shop
      endpoint: public
      awsFederation: { provider: aws, serviceAccount: x@evil.example }
`,
        ),
      ),
    ).toEqual([
      'slipway.yaml:4:16: clusters[0].gke.project: must be the id of a project such as acme-prod',
      'slipway.yaml:5:17: clusters[0].gke.location: must be a region or zone such as europe-west1 or europe-west1-b',
      'slipway.yaml:6:13: clusters[0].gke.name: must be the name of a GKE cluster',
      'slipway.yaml:7:17: clusters[0].gke.endpoint: must be private or dns',
      'slipway.yaml:8:34: clusters[0].gke.awsFederation.provider: must be the full name of a provider: projects/NUMBER/locations/global/workloadIdentityPools/POOL/providers/PROVIDER',
      'slipway.yaml:8:55: clusters[0].gke.awsFederation.serviceAccount: must be the address of a service account such as slipway@acme-prod.iam.gserviceaccount.com',
    ]);
    const noId = 'must be an id such as 11111111-2222-3333-4444-555555555555';
    expect(
      problems(
        text(
          'aks',
          `      subscription: acme
      resourceGroup: a/b
      name: -x
      awsFederation: { tenant: acme, client: "${id}" }
`,
        ),
      ),
    ).toEqual([
      `slipway.yaml:4:21: clusters[0].aks.subscription: ${noId}`,
      'slipway.yaml:5:22: clusters[0].aks.resourceGroup: must be the name of a resource group',
      'slipway.yaml:6:13: clusters[0].aks.name: must be the name of an AKS cluster',
      `slipway.yaml:7:32: clusters[0].aks.awsFederation.tenant: ${noId}`,
    ]);
    expect(problems(text('gke', '      name: shop\n'))).toEqual([
      'slipway.yaml:3:5: clusters[0].gke.project: is required',
      'slipway.yaml:3:5: clusters[0].gke.location: is required',
    ]);
    expect(
      problems(
        `clusters: [{name: a, eks: {name: a}, aks: {subscription: "${id}", resourceGroup: r, name: n}, ${source}}]`,
      ),
    ).toEqual(['slipway.yaml:1:38: clusters[0].aks: cannot be given together with eks']);
  });

  test('reports everything that is wrong, in the order of the file, where it stands', () => {
    const text = `clusters:
  - name: staging
    kubeconfg: file:./staging.kubeconfig
    source:
      url: https://user:password@github.com/acme/fleet.git
      tag: v1
      branch: main
      provider: gitlab
  - name: staging
    kubeconfig: hunter2-hunter2
    source: { url: "https://github.com/acme/fleet.git", interval: 5 }
providers:
  name: github
limits:
  renderTimeout: 0.5s
  artifactSize: 1TB
server:
  listen: "8080"
`;
    expect(problems(text)).toEqual([
      'slipway.yaml:2:5: clusters[0].kubeconfig: is required',
      'slipway.yaml:3:5: clusters[0].kubeconfg: unknown field; did you mean kubeconfig?',
      'slipway.yaml:5:12: clusters[0].source.url: must not hold credentials; put the token under providers',
      'slipway.yaml:7:15: clusters[0].source.branch: cannot be given together with tag',
      'slipway.yaml:8:17: clusters[0].source.provider: there is no provider gitlab',
      'slipway.yaml:9:11: clusters[1].name: staging is already taken',
      'slipway.yaml:10:17: clusters[1].kubeconfig: must be a reference to a secret (env:NAME, file:PATH, aws-sm:NAME or ssm:/NAME), not the secret itself',
      'slipway.yaml:11:67: clusters[1].source.interval: must be a string, not a number',
      'slipway.yaml:12:1: providers: must be a list, not an object',
      'slipway.yaml:15:18: limits.renderTimeout: must be at least 1s',
      'slipway.yaml:16:17: limits.artifactSize: must be a size such as 512Ki, 256Mi or 1Gi',
      'slipway.yaml:18:11: server.listen: must be HOST:PORT or :PORT',
    ]);
  });

  test.each([
    [
      'clusters: [',
      'slipway.yaml:1:12: Flow sequence in block collection must be sufficiently indented and end with a ]',
    ],
    ['sweep: {}\nsweep: {}\n', 'slipway.yaml:2:1: Map keys must be unique'],
    ['a: b: c', 'slipway.yaml:1:4: Nested mappings are not allowed in compact mappings'],
    [
      'sweep: {}\n---\nsweep: {}\n',
      'slipway.yaml:2:1: Source contains multiple documents; please use YAML.parseAllDocuments()',
    ],
    ['- name: staging', 'slipway.yaml:1:1: must be an object, not a list'],
    ['just text', 'slipway.yaml:1:1: must be an object, not a string'],
    ['sweeps: {}', 'slipway.yaml:1:1: sweeps: unknown field; did you mean sweep?'],
    ['zzz:', 'slipway.yaml:1:1: zzz: unknown field'],
    ['__proto__: {}', 'slipway.yaml:1:1: __proto__: unknown field'],
    [
      'network: { allow: [10.0.0.0/33] }',
      'slipway.yaml:1:20: network.allow[0]: must be a host, *.domain, an address or a CIDR range',
    ],
    ['server: { listen: ":70000" }', 'slipway.yaml:1:19: server.listen: must have a port below 65536'],
    ['server: { url: "ftp://x" }', 'slipway.yaml:1:16: server.url: must be a URL with https or http'],
    ['statuses: { objects: some }', 'slipway.yaml:1:22: statuses.objects: must be failing or all'],
    ['sweep: { interval: 1s }', 'slipway.yaml:1:20: sweep.interval: must be at least 5s'],
    ['limits: { concurrency: 0 }', 'slipway.yaml:1:24: limits.concurrency: must be at least 1'],
  ])('says of %j: %s', (text, problem) => {
    expect(problems(text)).toEqual([problem]);
  });

  test.each([
    ['type: gitea', '', 'url: is required for type gitea'],
    ['type: svn', ', url: "https://x"', 'type: must be github, gitlab, gitea, bitbucket or bitbucket-server'],
    [
      'type: gitlab',
      ', app: { id: 1, installationId: 2, privateKey: "env:K" }',
      'app: is for providers of type github alone',
    ],
    [
      'type: github',
      ', token: "env:T", app: { id: 1, installationId: 2, privateKey: "env:K" }',
      'app: cannot be given together with token',
    ],
    [
      'type: github',
      ', webhookSecrets: ["env:A", "env:B", "env:C"]',
      'webhookSecrets: must have at most 2 items',
    ],
  ])('says of a provider with %s%s: %s', (type, more, problem) => {
    const [found, ...others] = problems(`providers: [{ name: git, ${type}${more} }]`);
    expect(others).toEqual([]);
    expect(found).toMatch(/^slipway.yaml:1:\d+: providers\[0\]\./);
    expect(found).toContain(problem);
  });

  test.each([
    ['type: distribution', ', webhookSecrets: ["env:A"]', 'host: is required for type distribution'],
    ['type: harbor', ', host: harbor.example.com', 'webhookSecrets: is required: without a secret'],
    ['type: gcr', ', host: gcr.io', 'identity: is required for type gcr'],
    [
      'type: gcr',
      ', host: gcr.io, identity: { email: a, audience: b }, webhookSecrets: ["env:A"]',
      'webhookSecrets: cannot be given for type gcr',
    ],
    [
      'type: quay',
      ', identity: { email: a, audience: b }, webhookSecrets: ["env:A"]',
      'identity: is for registries of type gcr alone',
    ],
    [
      'type: quay',
      ', host: "https://quay.io", webhookSecrets: ["env:A"]',
      'host: must be the host of a registry',
    ],
    ['type: docker', '', 'type: must be acr, distribution, dockerhub'],
    ['type: quay', ', webhookSecrets: [hunter2]', 'webhookSecrets[0]: must be a reference to a secret'],
  ])('says of a registry with %s%s: %s', (type, more, problem) => {
    const [found, ...others] = problems(`registries: [{ name: images, ${type}${more} }]`);
    expect(others).toEqual([]);
    expect(found).toMatch(/^slipway.yaml:1:\d+: registries\[0\]\./);
    expect(found).toContain(problem);
  });

  test('gives every registry a name of its own', () => {
    const one = '{ name: a, type: quay, webhookSecrets: ["env:A"] }';
    expect(problems(`registries: [${one}, ${one}]`)).toEqual([
      'slipway.yaml:1:74: registries[1].name: a is already taken',
    ]);
  });

  test.each([
    [
      'tag: v1, commit: "5394cb7f48332b2de7c17dd8b8384bbc84b7e738"',
      'commit: cannot be given together with tag',
    ],
    ['semver: "1", name: refs/heads/x', 'name: cannot be given together with semver'],
    ['name: main', 'name: must be a full ref such as refs/heads/main'],
    ['commit: abc', 'commit: must be a full commit hash'],
  ])('refuses the source { %s }', (ref, problem) => {
    const text = `clusters: [{ name: a, kubeconfig: "env:A", source: { url: "https://git.example.com/x", ${ref} } }]`;
    expect(problems(text).map((line) => line.replace(/^.*clusters\[0\]\.source\./, ''))).toEqual([problem]);
  });

  test('finds faults behind anchors and aliases', () => {
    const text = `clusters:
  - &first
    name: a
    kubeconfig: env:A
    source: { url: "https://git.example.com/x" }
    alow: {}
  - *first
`;
    expect(problems(text)).toEqual(
      [
        'slipway.yaml:6:5: clusters[0].alow: unknown field; did you mean allow?',
        'slipway.yaml:3:11: clusters[1].name: a is already taken',
        'slipway.yaml:6:5: clusters[1].alow: unknown field; did you mean allow?',
      ].toSorted((a, b) => Number(a.split(':')[1]) - Number(b.split(':')[1])),
    );
  });

  test('does not repeat a secret that was written into the file', () => {
    const text =
      'providers: [{ name: git, type: github, token: ghp_0123456789abcdef0123, webhookSecrets: [hunter2-hunter2] }]';
    const [first, second] = problems(text);
    expect(first).toContain('providers[0].token: must be a reference to a secret');
    expect(second).toContain('providers[0].webhookSecrets[0]: must be a reference to a secret');
    expect(problems(text).join()).not.toMatch(/ghp_|hunter2/);
  });

  test('refuses a file that grows without end when its aliases are resolved', () => {
    const levels = Array.from({ length: 12 }, (_, level) => {
      const inner = level === 0 ? '"x"' : `*l${level - 1}`;
      return `l${level}: &l${level} [${Array(10).fill(inner).join(', ')}]`;
    });
    expect(problems(levels.join('\n'))[0]).toMatch(/^slipway.yaml:1:1: /);
  });

  test('either loads any text or says where it is wrong', () => {
    const line = fc.constantFrom(
      'clusters:',
      '  - name: a',
      '    source: {}',
      '&a',
      '*a',
      '{',
      '}',
      'x: y',
      '- 1',
      'null',
      '? a',
      ': b',
      '"',
      '#',
    );
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.array(line).map((lines) => lines.join('\n')),
        ),
        (text) => {
          for (const problem of problems(text)) expect(problem).toMatch(/^slipway\.yaml:[1-9]\d*:[1-9]\d*: /);
        },
      ),
    );
  });
});
