/** What is to be built. */
export interface ImageRequest {
  /** `REPOSITORY:TAG`. */
  tag: string;
  /** `OS/ARCHITECTURE`, or several with commas. */
  platform: string;
  push: boolean;
  /** Path of a file for what the builder says of an image that it has pushed. */
  report: string;
}

/** One call of a builder. */
export interface Step {
  args: readonly string[];
  /** Whether the build goes on when it fails. */
  mayFail?: boolean;
}

/** A program that builds images. */
export interface Builder {
  name: string;
  /** Calls that succeed where it can be used: some want a daemon, or a plugin. */
  probes: readonly (readonly string[])[];
  steps(request: ImageRequest): Step[];
  /** The digest of what was pushed, `sha256:…`. @param report what stands in the report */
  digest(report: string): string;
}

const FILE = ['--file', 'infra/Dockerfile'];

/** https://docs.docker.com/reference/cli/docker/buildx/build/ */
const docker: Builder = {
  name: 'docker',
  probes: [['info'], ['buildx', 'version']],
  steps: ({ tag, platform, push, report }) => [
    {
      args: [
        ...['buildx', 'build', ...FILE, '--tag', tag, '--platform', platform],
        // Lambda takes no image with attestations beside it.
        ...['--provenance=false', '--sbom=false', '--metadata-file', report],
        ...(push ? ['--push'] : isOne(platform) ? ['--load'] : []),
        '.',
      ],
    },
  ],
  digest: (report) => String((JSON.parse(report) as Record<string, unknown>)['containerimage.digest']),
};

/** https://docs.podman.io/en/latest/markdown/podman-build.1.html and podman-manifest-push.1.html */
const podman: Builder = {
  name: 'podman',
  probes: [['info']],
  steps({ tag, platform, push, report }) {
    const build = ['build', ...FILE, '--platform', platform];
    if (isOne(platform))
      return [
        { args: [...build, '--tag', tag, '.'] },
        ...(push ? [{ args: ['push', '--digestfile', report, tag] }] : []),
      ];
    return [
      // A list that is there already would be added to.
      { args: ['manifest', 'rm', tag], mayFail: true },
      { args: [...build, '--manifest', tag, '.'] },
      ...(push
        ? [{ args: ['manifest', 'push', '--all', '--digestfile', report, tag, `docker://${tag}`] }]
        : []),
    ];
  },
  digest: (report) => report.trim(),
};

/** In the order in which they are looked for. */
export const builders: readonly Builder[] = [docker, podman];

function isOne(platform: string): boolean {
  return !platform.includes(',');
}
