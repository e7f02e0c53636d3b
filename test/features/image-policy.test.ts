import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { type ImageStage, type ImageTeam, startImageStage } from '../support/image-stage.ts';
import { conditionOf } from '../support/kube-objects.ts';
import { kubeCall } from '../support/kube-request.ts';
import { CLUSTER } from '../support/stage.ts';

let images: ImageStage;
beforeAll(async () => {
  images = await startImageStage();
});
afterAll(() => images?.stop());

const SEMVER = { policy: { semver: { range: '>=1.0.0' } } };

/** A team with an image of these tags, scanned. @returns the digests by tag */
async function teamWith(tags: readonly string[]): Promise<ImageTeam & { digests: Record<string, string> }> {
  const team = await images.team();
  const digests: Record<string, string> = {};
  for (const tag of tags) digests[tag] = await images.registry.push(`${team.name}/app`, tag);
  await team.repository();
  await team.scanned(tags.length);
  return { ...team, digests };
}

describe('a policy', () => {
  test('chooses the newest tag, and tells it as Flux does', async () => {
    const team = await teamWith(['1.0.0', '1.2.0', '1.10.0', '2.0.0-rc.1', 'latest']);
    await team.policy(SEMVER);
    const found = await team.latest('1.10.0');
    const name = `${images.registry.host}/${team.name}/app`;
    expect(found.status).toMatchObject({ latestRef: { name, tag: '1.10.0' }, observedGeneration: 1 });
    expect(found.status?.observedPreviousRef).toBeUndefined();
    expect(found.status?.latestRef?.digest).toBeUndefined();
    expect(conditionOf(found)).toMatchObject({
      reason: 'Succeeded',
      message: `Latest image tag for ${name} resolved to 1.10.0`,
    });
  });

  test('chooses anew at once when the image has a new tag', async () => {
    const team = await teamWith(['1.0.0']);
    await team.policy(SEMVER);
    await team.latest('1.0.0');
    await images.registry.push(`${team.name}/app`, '1.1.0');
    await team.hint('1.1.0');
    const found = await team.latest('1.1.0');
    expect(found.status?.observedPreviousRef).toMatchObject({ tag: '1.0.0' });
    expect(conditionOf(found)?.message).toMatch(/resolved to 1\.1\.0 \(previously .*:1\.0\.0\)$/);
  });

  test('orders what it extracts, and leaves out what its filter does not match', async () => {
    const team = await teamWith(['main-aaa-100', 'main-fff-99', 'main-bbb-1000', 'feature-ccc-9999']);
    await team.policy({
      filterTags: { pattern: '^main-[a-f0-9]+-(?P<ts>[0-9]+)$', extract: '$ts' },
      policy: { numerical: { order: 'asc' } },
    });
    await team.latest('main-bbb-1000');
    await team.policy({ policy: { alphabetical: {} } }, 'letters');
    await team.latest('main-fff-99', 'letters');
  });

  test('that comes before its image is scanned, or before it exists, chooses as soon as it is', async () => {
    const team = await images.team();
    await team.policy(SEMVER);
    const { message } = await team.failed('imagepolicies', 'DependencyNotReady');
    expect(message).toBe(
      `failed to get the referred ImageRepository: referenced ImageRepository does not exist: ImageRepository/${team.name}/app`,
    );
    await images.registry.push(`${team.name}/app`, '1.0.0');
    await team.repository();
    await team.latest('1.0.0');
  });

  test('chooses also after the tags were lost from the store', async () => {
    const team = await teamWith(['1.0.0']);
    const { imageTags } = images.stage.slipway.ctx.index;
    await imageTags.remove(CLUSTER, `ImageRepository/${team.name}/app`);
    await team.policy(SEMVER);
    await team.latest('1.0.0');
  });

  test('keeps what it had chosen while the registry cannot be read', async () => {
    const team = await teamWith(['1.0.0']);
    await team.policy(SEMVER);
    await team.latest('1.0.0');
    const spec = { secretRef: { name: 'none' } };
    await images.stage.objects.patch('imagerepositories', team.name, 'app', { spec });
    await team.failed('imagerepositories', 'AuthenticationFailed');
    await team.request('imagepolicies');
    await team.latest('1.0.0');
  });
});

describe('the digest of the chosen tag', () => {
  test('stays as it was first, or follows the tag, as the policy says', async () => {
    const team = await teamWith(['1.0.0']);
    await team.policy({ ...SEMVER, digestReflectionPolicy: 'IfNotPresent' }, 'first');
    await team.policy({ ...SEMVER, digestReflectionPolicy: 'Always', interval: '1h' }, 'always');
    const before = team.digests['1.0.0'];
    expect((await team.latest('1.0.0', 'first')).status?.latestRef?.digest).toBe(before);
    expect((await team.latest('1.0.0', 'always')).status?.latestRef?.digest).toBe(before);
    const after = await images.registry.push(`${team.name}/app`, '1.0.0', { content: 'other' });
    expect(after).not.toBe(before);
    await team.hint('1.0.0');
    await eventually('the digest follows', async () => {
      return (await team.getPolicy('always'))?.status?.latestRef?.digest === after;
    });
    await team.request('imagepolicies', 'first');
    expect((await team.getPolicy('first'))?.status?.latestRef?.digest).toBe(before);
    expect((await team.getPolicy('always'))?.status?.observedPreviousRef?.digest).toBe(before);
    // Another tag has another digest, also where it is kept.
    const next = await images.registry.push(`${team.name}/app`, '1.1.0');
    await team.hint('1.1.0');
    expect((await team.latest('1.1.0', 'first')).status?.latestRef?.digest).toBe(next);
  });
});

describe('a policy that cannot choose', () => {
  test('because it is invalid stalls and says what is wrong', async () => {
    const team = await teamWith(['1.0.0']);
    await team.policy({ policy: { semver: { range: 'x1' } } }, 'range');
    await team.policy({ ...SEMVER, filterTags: { pattern: '(' } }, 'pattern');
    await team.policy({ policy: {} }, 'nothing');
    for (const [name, expected] of [
      ['range', /invalid policy: 'x1' is no range/],
      ['pattern', /invalid policy: the pattern of spec\.filterTags '\(' is invalid/],
      ['nothing', /names no policy/],
    ] as const) {
      const { message, object } = await team.failed('imagepolicies', 'InvalidPolicy', name);
      expect(message).toMatch(expected);
      expect(conditionOf(object, 'Stalled')?.status).toBe('True');
    }
  });

  test('because no tag fits says so, and goes on when one comes', async () => {
    const team = await teamWith(['1.0.0']);
    await team.policy({ policy: { semver: { range: '2.x' } } });
    const { message, object } = await team.failed('imagepolicies', 'Failure');
    expect(message).toMatch(/none of 1 tags fits spec\.policy/);
    expect(conditionOf(object, 'Stalled')).toBeUndefined();
    await images.registry.push(`${team.name}/app`, '2.0.0');
    await team.hint('2.0.0');
    await team.latest('2.0.0');
  });
});

describe('an image of another namespace', () => {
  async function foreign(accessFrom: unknown) {
    const owner = await images.team();
    await images.registry.push(`${owner.name}/app`, '1.0.0');
    await owner.repository(accessFrom === undefined ? {} : { accessFrom });
    await owner.scanned(1);
    const user = await images.team();
    await user.policy({ ...SEMVER, imageRepositoryRef: { name: 'app', namespace: owner.name } });
    return user;
  }

  test('is closed unless it opens itself', async () => {
    const user = await foreign(undefined);
    const { message } = await user.failed('imagepolicies', 'AccessDenied');
    expect(message).toMatch(/can't be accessed due to missing ACL labels on 'accessFrom'/);
    expect((await user.getPolicy())?.status?.latestRef).toBeUndefined();
  });

  test('is open to all where it says so', async () => {
    const user = await foreign({ namespaceSelectors: [{ matchLabels: {} }] });
    await user.latest('1.0.0');
  });

  test('is open to namespaces with the labels it asks for, as soon as they have them', async () => {
    const user = await foreign({ namespaceSelectors: [{ matchLabels: { team: 'a', tier: 'b' } }] });
    const { message } = await user.failed('imagepolicies', 'AccessDenied');
    expect(message).toMatch(/due to ACL labels mismatch on namespace/);
    await kubeCall(images.stage.kubernetes.connection, 'PATCH', `/api/v1/namespaces/${user.name}`, {
      metadata: { labels: { team: 'a', tier: 'b' } },
    });
    await user.request('imagepolicies');
    await user.latest('1.0.0');
  });
});
