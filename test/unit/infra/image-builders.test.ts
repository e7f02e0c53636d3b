import { describe, expect, it } from 'vitest';
import { builders } from '../../../infra/image/builders.ts';

const TAG = 'registry.example.test/slipway:1';
const DIGEST = `sha256:${'0'.repeat(64)}`;

/** The calls of a builder, as a shell would show them. */
function calls(name: string, platform: string, push: boolean): string[] {
  const builder = builders.find((each) => each.name === name);
  const steps = builder?.steps({ tag: TAG, platform, push, report: '/report' }) ?? [];
  return steps.map(({ args, mayFail }) => `${args.join(' ')}${mayFail ? ' || true' : ''}`);
}

describe('an image', () => {
  it('is built by Docker, kept there when it is of one platform, or pushed', () => {
    const build = `buildx build --file infra/Dockerfile --tag ${TAG} --platform`;
    const plain = '--provenance=false --sbom=false --metadata-file /report';
    expect(calls('docker', 'linux/arm64', false)).toEqual([`${build} linux/arm64 ${plain} --load .`]);
    expect(calls('docker', 'linux/arm64', true)).toEqual([`${build} linux/arm64 ${plain} --push .`]);
    const both = 'linux/amd64,linux/arm64';
    expect(calls('docker', both, false)).toEqual([`${build} ${both} ${plain} .`]);
  });

  it('is built by Podman, which wants a call of its own to push, and a list for several platforms', () => {
    const build = 'build --file infra/Dockerfile --platform';
    const one = `${build} linux/arm64 --tag ${TAG} .`;
    expect(calls('podman', 'linux/arm64', false)).toEqual([one]);
    expect(calls('podman', 'linux/arm64', true)).toEqual([one, `push --digestfile /report ${TAG}`]);
    expect(calls('podman', 'linux/amd64,linux/arm64', true)).toEqual([
      `manifest rm ${TAG} || true`,
      `${build} linux/amd64,linux/arm64 --manifest ${TAG} .`,
      `manifest push --all --digestfile /report ${TAG} docker://${TAG}`,
    ]);
  });

  it.each([
    ['docker', JSON.stringify({ 'containerimage.digest': DIGEST })],
    ['podman', `${DIGEST}\n`],
  ])('is named by the digest that %s reports', (name, report) => {
    expect(builders.find((each) => each.name === name)?.digest(report)).toBe(DIGEST);
  });
});
