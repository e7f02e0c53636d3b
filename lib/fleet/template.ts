/** What `slipway init` puts into the file. */
export interface TemplateOptions {
  /** Name of the first cluster. */
  cluster: string;
  /** URL of the fleet repository. */
  url: string;
  branch: string;
  /** Directory of the cluster in the repository. */
  path: string;
  /** Where the repository is. */
  provider: TemplateProvider;
}

/** The providers that the template knows. */
export type TemplateProvider = keyof typeof PROVIDERS;

/** The token's variable, the rights it needs, and where a self-hosted one is; gitea is always self-hosted. */
const PROVIDERS = {
  github: { token: 'GITHUB_TOKEN', rights: 'read contents, write commit statuses', url: undefined },
  gitlab: { token: 'GITLAB_TOKEN', rights: 'the scope api', url: undefined },
  gitea: {
    token: 'GITEA_TOKEN',
    rights: 'read and write repositories',
    url: 'https://gitea.example.com',
  },
  bitbucket: { token: 'BITBUCKET_TOKEN', rights: 'read and write repositories', url: undefined },
} as const;

/** Their names. */
export const templateProviders = Object.keys(PROVIDERS) as TemplateProvider[];

const DEFAULTS: TemplateOptions = {
  cluster: 'staging',
  url: 'https://github.com/example/fleet.git',
  branch: 'main',
  path: './clusters/staging',
  provider: 'github',
};

/** The commented fleet file that `slipway init` writes. It is valid as it stands, with or without its commented lines. */
export function fleetTemplate(options: Partial<TemplateOptions> = {}): string {
  const { cluster, url, branch, path, provider } = { ...DEFAULTS, ...options };
  return `# slipway.yaml: which clusters are deployed to, from where, and with what.
# Secrets never stand here, only where they are: env:NAME (an environment variable) or file:PATH (relative to this file).

clusters:
  - name: ${quote(cluster)}
    # A kubeconfig. \`slipway cluster add\` makes a service account for it and adds a cluster here.
    # Clusters of EKS, GKE and AKS can be named in its place and need none: docs/fleet-file.md.
    kubeconfig: file:./${cluster}.kubeconfig
    # context: ${cluster}                # default: the current context of the kubeconfig
    source:
      url: ${quote(url)}
      branch: ${quote(branch)}                    # or tag, semver, commit, or name (a full ref)
      path: ${quote(path)}
      # interval: 1m                    # how often to look, should a webhook be missed
      # prune: true                     # delete what is gone from the repository
      # provider: ${provider.padEnd(22)}# default: the provider at the host of the URL
    # defaultServiceAccount: deployer   # act as this one for Kustomizations that name none
    # noCrossNamespaceRefs: true        # keep the references of each namespace within it
    # allowRemoteBases: true            # let kustomizations fetch bases from other repositories
    # allow:                            # what the kubeconfig may make this machine do
    #   exec: false                     # run commands that get credentials
    #   files: false                    # read files that it names
    #   insecure: false                 # skip checking the server's certificate

providers:
${providerText(provider, url)}
# Container registries can tell of pushes as well: docs/webhooks.md.

# network:
#   allow: [10.0.0.0/8, git.internal]   # private addresses are refused unless they are listed

# server:
#   listen: ":8080"
#   url: https://slipway.example.com    # public address, for links in commit statuses

# statuses:
#   objects: failing                    # failing: one status a cluster, and one for each failing object; or all
#   prefix: slipway

# sweep:
#   interval: 1m                        # how often each cluster is looked over

# storage:
#   directory: ./.slipway

# limits:
#   concurrency: 24
#   requestTimeout: 30s
#   renderTimeout: 2m
#   renderSize: 64Mi
#   artifactSize: 256Mi
#   artifactFiles: 100000
`;
}

function providerText(provider: TemplateProvider, repository: string): string {
  const { token, rights, url } = PROVIDERS[provider];
  const own =
    url && URL.canParse(repository) && !repository.includes('example') ? new URL(repository).origin : url;
  const lines = [
    `  - name: ${provider}`,
    line(`type: ${provider}`, 'github, gitlab, gitea (and Forgejo), bitbucket or bitbucket-server'),
    own === undefined
      ? line('# url: https://git.example.com', 'where a self-hosted one is')
      : line(`url: ${own}`, 'where it is'),
    line(`token: env:${token}`, `needs: ${rights}`),
  ];
  if (provider === 'github') {
    lines.push(line('# app:', 'a GitHub App in place of the token'));
    for (const field of ['id: 123456', 'installationId: 12345678', 'privateKey: file:./app.pem'])
      lines.push(`    #   ${field}`);
  }
  return [
    ...lines,
    '    webhookSecrets: [env:WEBHOOK_SECRET] # two are accepted at once, for rotation',
    '',
  ].join('\n');
}

/** A setting with what it means, in the columns of the file. */
function line(setting: string, meaning: string): string {
  return `    ${setting.padEnd(35)} # ${meaning}`;
}

/** Plain where YAML reads it back as the same text, quoted where not. */
function quote(text: string): string {
  return /^[A-Za-z./][\w./:@-]*$/.test(text) && !/:$|^(true|false|null|yes|no|on|off|y|n)$/i.test(text)
    ? text
    : JSON.stringify(text);
}
