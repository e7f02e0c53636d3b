import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { SecretScheme } from './scheme.ts';

const WHY: Readonly<Record<string, string>> = {
  ENOENT: 'the file does not exist',
  EACCES: 'the file may not be read',
  EISDIR: 'it is a directory',
};

/** `file:PATH`: the content of a file; a relative path starts at the directory of the fleet file. */
export const file: SecretScheme = {
  example: 'file:PATH',
  async read(name, context) {
    const path = resolve(context.baseDirectory, name);
    try {
      return await readFile(path, 'utf8');
    } catch (error) {
      const code = (error as NodeJS.ErrnoException).code ?? '';
      throw new Error(`${WHY[code] ?? `it cannot be read (${code})`}: ${path}`, { cause: error });
    }
  },
};
