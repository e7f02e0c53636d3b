import { sha256 } from '../core/digest.ts';
import { type ChosenImage, formatImage } from '../image/setters.ts';
import type { MarkedPlace } from '../image/update-files.ts';
import type { SharedPartition } from '../store/partitions.ts';
import type { Context } from './context.ts';

/**
 * Which places of a branch have held which image: an image that a place has held and does not hold any more was taken back by somebody,
 * and is not written there again. It is kept by repository and branch, not by cluster, so that no other cluster's automation undoes what
 * one has learned. Lost, it is learned anew while the images stand there.
 */
interface Remembered {
  /** The last images of the policy, newest first, each with digests of the places that have held it. */
  images: { image: string; places: string[] }[];
}

const PARTITION: SharedPartition = 'image-memory';
/** Images that are remembered for each policy: clusters may differ in what they take for the newest. */
const MAX_IMAGES = 4;
/** Places of one image; what is beyond is set again when somebody takes it back. */
const MAX_PLACES = 4_000;
const ATTEMPTS = 5;

/** Tells of places, by their keys, whether they have held an image. */
export async function whoHeld(
  ctx: Context,
  branch: string,
  policy: string,
  image: ChosenImage,
): Promise<(place: string) => boolean> {
  const row = await ctx.index.rows.get<Remembered>(PARTITION, rowOf(branch, policy));
  const found = row?.value.images.find((one) => one.image === formatImage(image));
  const places = new Set(found?.places);
  return (place) => places.has(digestOfPlace(place));
}

/**
 * Notes which places hold what their policies have chosen.
 * @param branch repository and branch
 * @param images by `namespace:name`
 */
export async function rememberPlaces(
  ctx: Context,
  branch: string,
  places: readonly MarkedPlace[],
  images: ReadonlyMap<string, ChosenImage>,
): Promise<void> {
  const held = Map.groupBy(
    places.filter(({ upToDate }) => upToDate),
    ({ policy }) => policy,
  );
  for (const [policy, list] of held) {
    const image = images.get(policy);
    if (!image) continue;
    await remember(
      ctx,
      rowOf(branch, policy),
      formatImage(image),
      list.map(({ key }) => digestOfPlace(key)),
    );
  }
}

async function remember(ctx: Context, sort: string, image: string, places: readonly string[]): Promise<void> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
    const row = await ctx.index.rows.get<Remembered>(PARTITION, sort);
    const before = row?.value.images ?? [];
    const known = before.find((one) => one.image === image);
    const all = [...new Set([...(known?.places ?? []), ...places])].slice(0, MAX_PLACES);
    if (known && all.length === known.places.length) return;
    const others = before.filter((one) => one.image !== image).slice(0, MAX_IMAGES - 1);
    const value: Remembered = { images: [{ image, places: all }, ...others] };
    const written = await ctx.index.rows.put(PARTITION, sort, value, { ifVersion: row?.version ?? 0 });
    if (written !== undefined) return;
  }
}

function rowOf(branch: string, policy: string): string {
  return sha256(JSON.stringify([branch, policy]));
}

function digestOfPlace(key: string): string {
  return sha256(key).slice('sha256:'.length, 'sha256:'.length + 16);
}
