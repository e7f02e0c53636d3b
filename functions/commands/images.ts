import type { Command } from 'commander';
import { addImagesExplain } from './images-explain.ts';
import { addImagesUpdate } from './images-update.ts';

/** `slipway images …`: what concerns images alone. */
export function addImages(program: Command): void {
  const images = program.command('images').description('look into images and their policies');
  for (const add of [addImagesExplain, addImagesUpdate]) add(images);
}
