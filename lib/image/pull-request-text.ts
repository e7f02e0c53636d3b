import { sha256 } from '../core/digest.ts';
import type { ChosenImage } from './setters.ts';
import type { Change } from './update-files.ts';

/** What a pull request tells of an update. */
export interface UpdateText {
  title: string;
  /** Markdown. It ends with {@link markOf} the update. */
  body: string;
}

/** Rows and files that are listed; what is beyond is counted. */
const MAX_LISTED = 100;

/** Hidden in the body: tells the same images again, whatever was edited around it. */
export function markOf(changes: readonly Change[]): string {
  const all = [...new Set(changes.map(({ setter, newValue }) => JSON.stringify([setter, newValue])))].sort();
  return `<!-- slipway images ${sha256(JSON.stringify(all)).slice('sha256:'.length)} -->`;
}

/** Whether a body is one of ours. */
export function isMarked(body: string): boolean {
  return /<!-- slipway images [0-9a-f]{64} -->/.test(body);
}

/**
 * Tells each image with its old and new tag and digest, and the files that change.
 * @param images what the policies have chosen, by `namespace:name`
 */
export function updateText(
  automation: { name: string; namespace: string },
  changes: readonly Change[],
  images: ReadonlyMap<string, ChosenImage>,
): UpdateText {
  const byPolicy = [...Map.groupBy(changes, ({ policy }) => policy)].sort(([a], [b]) => (a < b ? -1 : 1));
  const rows = byPolicy.map(([policy, list]) => {
    const image = images.get(policy);
    const olds = [...new Set(list.map(({ oldValue }) => oldValue).filter((value) => value !== ''))];
    const now = image ? [image.tag, image.digest ?? ''].filter((part) => part !== '') : [];
    return `| ${code(image?.name ?? policy)} | ${olds.map(code).join('<br>')} | ${now.map(code).join('<br>')} | ${code(policy)} |`;
  });
  const files = [...new Set(changes.map(({ file }) => file))].sort();
  const [[, first] = []] = byPolicy;
  const single = byPolicy.length === 1 ? images.get(first?.[0]?.policy ?? '') : undefined;
  return {
    title: single ? `Update ${single.name} to ${single.tag}` : `Update ${byPolicy.length} images`,
    body: [
      '| image | from | to | policy |',
      '|---|---|---|---|',
      ...listed(rows, (row) => row),
      '',
      `Changes ${files.length === 1 ? 'one file' : `${files.length} files`}:`,
      ...listed(files, (file) => `- ${code(file)}`),
      '',
      `Made by the ImageUpdateAutomation ${code(`${automation.namespace}/${automation.name}`)}. The branch is made anew with every newer image; closing this request leaves these images out until there are newer ones.`,
      '',
      markOf(changes),
    ].join('\n'),
  };
}

function listed(items: readonly string[], write: (item: string) => string): string[] {
  const more = items.length - MAX_LISTED;
  return [...items.slice(0, MAX_LISTED).map(write), ...(more > 0 ? ['', `and ${more} more`] : [])];
}

/** What stands in files must not become Markdown of ours. */
function code(text: string): string {
  const plain = text
    .replace(/[`|\s]+/g, ' ')
    .trim()
    .slice(0, 300);
  return plain === '' ? '' : `\`${plain}\``;
}
