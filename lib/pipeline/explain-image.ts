import type { Condition } from '../core/conditions.ts';
import { getCondition } from '../core/conditions.ts';
import { messageOf } from '../core/errors.ts';
import { describe, type KubernetesObject } from '../core/object.ts';
import { rankTags } from '../image/policy/choose.ts';
import type { Candidate, Rejected } from '../image/policy/order.ts';
import type { ImagePolicy } from '../toolkit/image-policy.ts';
import { formatImageRef } from '../toolkit/image-ref.ts';
import type { ImageRepository } from '../toolkit/image-repository.ts';
import { parseToolkitObject } from '../toolkit/parse.ts';
import type { Context } from './context.ts';
import { IMAGE_POLICY, IMAGE_REPOSITORY, imageRepositoryRefOf } from './image-results.ts';
import type { ToolkitRef } from './object-key.ts';
import { objectKey } from './object-key.ts';

/** Why a policy has chosen the tag that it has, from what is known now. */
export interface ImageExplanation {
  cluster: string;
  /** `namespace/name` of the policy. */
  policy: string;
  /** The ImageRepository, and the image that it follows. */
  repository: string;
  image: string;
  /** `spec.policy` and `spec.filterTags`. */
  order: ImagePolicy['spec']['policy'];
  filter?: ImagePolicy['spec']['filterTags'];
  /** What the status tells: `name:tag[@digest]`, and the Ready condition. */
  chosen?: string;
  ready: string;
  message: string;
  /** How many tags are known, and when all were listed last (epoch in ms); absent when there was no scan yet. */
  tags?: number;
  listedAt?: number;
  /** Tags that could be chosen, the newest first. */
  candidates: Candidate[];
  /** Tags that could not, and why. */
  rejected: Rejected[];
  /** What keeps it from choosing. */
  problem?: string;
}

/**
 * Explains a policy: its candidates, what was left out, and in which order the rest stands.
 * @returns undefined when there is no such policy
 * @throws Error when the cluster cannot be read, or the policy's fields are not valid
 */
export async function explainImage(
  ctx: Pick<Context, 'cluster' | 'index'>,
  cluster: string,
  ref: ToolkitRef,
): Promise<ImageExplanation | undefined> {
  const { client } = await ctx.cluster(cluster);
  const { version } = IMAGE_POLICY;
  const live = await client.get<KubernetesObject>({ ...ref, version });
  if (!live) return undefined;
  const parsed = parseToolkitObject(live);
  if (!parsed.ok) throw new Error(parsed.errors.map(({ message }) => message).join('; '));
  const policy = parsed.object as ImagePolicy;
  const { spec, status } = policy;
  const repositoryRef = imageRepositoryRefOf(policy);
  const repository = await client.get<KubernetesObject & ImageRepository>({
    ...repositoryRef,
    version: IMAGE_REPOSITORY.version,
  });
  const ready = getCondition(status?.conditions as Condition[] | undefined, 'Ready');
  const record = await ctx.index.imageTags.get(cluster, objectKey(repositoryRef));
  const explanation: ImageExplanation = {
    cluster,
    policy: `${ref.namespace}/${ref.name}`,
    repository: describe(repositoryRef),
    image: repository?.spec.image ?? '',
    order: spec.policy,
    ...(spec.filterTags === undefined ? {} : { filter: spec.filterTags }),
    ...(status?.latestRef === undefined ? {} : { chosen: formatImageRef(status.latestRef) }),
    ready: ready?.status ?? 'Unknown',
    message: ready?.message ?? 'not reconciled yet',
    ...(record === undefined ? {} : { tags: record.tags.length, listedAt: record.listedAt }),
    candidates: [],
    rejected: [],
  };
  if (!repository) return { ...explanation, problem: `${describe(repositoryRef)} does not exist` };
  if (!record) return { ...explanation, problem: `${describe(repositoryRef)} has not been scanned yet` };
  try {
    const { ranked, rejected } = rankTags(spec, record.tags);
    return { ...explanation, candidates: ranked, rejected };
  } catch (error) {
    return { ...explanation, problem: messageOf(error) };
  }
}
