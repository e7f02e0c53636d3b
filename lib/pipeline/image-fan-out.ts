import type { ImageJob } from '../core/job.ts';
import { imageSubscription } from '../store/subscriptions.ts';
import type { Core } from './context.ts';
import { enqueue, reconcileJob } from './enqueue.ts';
import { objectKey } from './object-key.ts';

/**
 * Turns a push to a registry into one job for every object, in every cluster, that follows the image. The job carries the tag as a hint;
 * the worker asks the registry what it points at. Holds no credential of any cluster or registry.
 */
export async function fanOutImage(ctx: Core, push: ImageJob): Promise<void> {
  const found = await Promise.all(
    push.images.map((image) => ctx.index.subscriptions.find(imageSubscription(image))),
  );
  const concerned = new Map(
    found.flat().map((subscription) => [`${subscription.cluster}/${objectKey(subscription)}`, subscription]),
  );
  const log = ctx.log.child({ push: push.origin.id, image: push.images[0], tag: push.tag });
  if (concerned.size === 0) {
    log.info('nothing follows this image');
    return;
  }
  const { origin, tag } = push;
  await enqueue(
    ctx,
    [...concerned.values()].map((subscription) => ({
      job: reconcileJob(ctx, subscription.cluster, subscription, 'push', { origin, tag }),
    })),
  );
  log.info({ objects: concerned.size }, 'fanned out');
}
