import { IMAGE_GROUP } from '../../lib/pipeline/image-results.ts';
import { kinds } from '../../lib/pipeline/kinds.ts';
import type { ImageRef } from '../../lib/toolkit/image-ref.ts';
import type { ObjectOptions } from './global-options.ts';
import { printObjects } from './object-rows.ts';

/** `slipway get images`: images, policies and automations of every cluster. */
export function getImages(options: ObjectOptions, name?: string): Promise<void> {
  return printObjects(options, {
    name,
    kinds: Object.keys(kinds).filter((kind) => kinds[kind]?.group === IMAGE_GROUP),
    more({ spec, status }) {
      const latest = status?.latestRef as ImageRef | undefined;
      const scan = status?.lastScanResult as { tagCount?: number } | undefined;
      const image = (spec as { image?: string } | undefined)?.image;
      return {
        image: image ?? latest?.name ?? '',
        // How many tags there are, or which was chosen.
        tag: latest?.tag ?? (scan?.tagCount === undefined ? '' : `${scan.tagCount} tags`),
      };
    },
    columns: [
      { heading: 'image', value: ({ image }) => image },
      { heading: 'tag', value: ({ tag }) => tag },
    ],
    none: 'there are no images yet',
  });
}
