import * as z from 'zod';

/** An image in a status: what a policy has chosen, or an automation has seen. */
export const ImageRef = z.looseObject({
  name: z.string().describe('The image without tag and digest.'),
  tag: z.string().describe('The tag.'),
  digest: z.string().describe('What the tag pointed at, as <algorithm>:<checksum>.').exactOptional(),
});
export type ImageRef = z.infer<typeof ImageRef>;

/** `name:tag`, with `@digest` where there is one. */
export function formatImageRef({ name, tag, digest }: Pick<ImageRef, 'name' | 'tag' | 'digest'>): string {
  return digest === undefined || digest === '' ? `${name}:${tag}` : `${name}:${tag}@${digest}`;
}
