import { dirname, resolve } from 'node:path';
import type { Fleet } from './fleet.ts';

/** What a packaged fleet file begins with; no fleet file that is written by hand may have it. Another layout gets another number. */
export const PACKAGED = { packagedFleet: 1 } as const;

const MARK = JSON.stringify(PACKAGED).replace(/\}$/, ',');

/** Whether a text was made by `packFleet`. */
export function isPackagedFleet(text: string): boolean {
  return text.startsWith(MARK);
}

/**
 * A fleet that was checked before it was packaged. It is believed like the code beside it: read it from nowhere else.
 * @param path where it lies; relative paths of secrets start at its directory
 * @throws Error when the text is damaged
 */
export function packagedFleet(text: string, path: string): Fleet {
  const absolute = resolve(path);
  try {
    const { fleet } = JSON.parse(text) as { fleet: Omit<Fleet, 'path' | 'baseDirectory'> };
    return { ...fleet, path: absolute, baseDirectory: dirname(absolute) };
  } catch {
    throw new Error(`the packaged fleet file ${absolute} is damaged; package the functions again`);
  }
}
