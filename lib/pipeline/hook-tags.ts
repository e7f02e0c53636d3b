import { ReconcileError } from '../core/errors.ts';
import { formatImageName } from '../core/image-name.ts';
import type { KubeClient } from '../kube/client.ts';
import { hookType } from '../receive/hooks/registry.ts';
import { PayloadError } from '../receive/payload-error.ts';
import type { ImageRepository } from '../toolkit/image-repository.ts';
import { parseToolkitObject } from '../toolkit/parse.ts';
import type { Receiver } from '../toolkit/receiver.ts';
import { imageNameOf } from './image-access.ts';
import type { ToolkitRef } from './object-key.ts';
import type { WithStatus } from './status.ts';

/** More tags than this in one call, and listing all of them is less work. */
const MAX_TAGS = 10;

const isImage = ({ kind }: { kind: string }): boolean => kind === 'ImageRepository';

/** Whether calls of a Receiver may name tags that its objects follow, so that the worker needs their payloads. */
export function mayNameTags({ spec }: Receiver): boolean {
  return hookType(spec.type)?.pushed !== undefined && spec.resources.some(isImage);
}

/**
 * The tags of an object's image that a call names. They are hints: each is asked of the registry by itself.
 * @returns empty when it names none, or the object follows no image
 */
export async function tagsFor(
  client: KubeClient,
  type: string,
  payload: unknown,
  ref: ToolkitRef,
): Promise<string[]> {
  const pushed = hookType(type)?.pushed;
  if (!pushed || !isImage(ref)) return [];
  const live = await client.get<WithStatus>({ ...ref, version: 'v1' });
  const parsed = live && parseToolkitObject(live);
  if (!parsed?.ok) return [];
  try {
    const name = imageNameOf(parsed.object as ImageRepository);
    const received = pushed(payload, name.registry);
    if (received.kind !== 'push') return [];
    const own = received.pushes.filter(({ images }) => images.includes(formatImageName(name)));
    const tags = [...new Set(own.map(({ tag }) => tag))];
    return tags.length > MAX_TAGS ? [] : tags;
  } catch (error) {
    // A call may tell of something else, or of nothing: then all is looked at.
    if (error instanceof PayloadError || error instanceof ReconcileError) return [];
    throw error;
  }
}
