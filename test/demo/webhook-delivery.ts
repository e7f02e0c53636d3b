import type { IncomingHttpHeaders } from 'node:http';

/** What a webhook says, as far as the demo tells it. */
export interface Delivery {
  /** In words; undefined when it tells of nothing that a person would care for, such as a layer of an image. */
  what: string | undefined;
  /** The pushed ref and the commit that it points at now, for pushes to Git. */
  ref?: string;
  commit?: string;
}

/** Reads a delivery of Gitea, or a notification of the registry. */
export function readDelivery(headers: IncomingHttpHeaders, body: string): Delivery {
  const event = headers['x-gitea-event'];
  if (event === undefined) return { what: pushedImages(body) };
  const { ref = '', after = '' } = JSON.parse(body) as { ref?: string; after?: string };
  return { what: `${event} ${ref.replace('refs/heads/', '')} ${after.slice(0, 7)}`, ref, commit: after };
}

/** @see https://distribution.github.io/distribution/about/notifications/ */
function pushedImages(body: string): string | undefined {
  const { events } = JSON.parse(body) as {
    events: { action: string; target: { repository: string; tag?: string } }[];
  };
  const pushed = events.filter(({ action, target }) => action === 'push' && target.tag);
  const images = pushed.map(({ target }) => `${target.repository}:${target.tag}`);
  return images.length > 0 ? `image ${images.join(', ')}` : undefined;
}
