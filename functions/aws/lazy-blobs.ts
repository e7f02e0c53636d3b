import type { Blobs } from '../../lib/blobs/blobs.ts';
import type { OpenBlobs } from './blobs.ts';
import type { Environment } from './environment.ts';

/** The bucket of the installation, for a function that seldom needs it: nothing of its client is loaded before. */
export function lazyBlobs(environment: Environment): { blobs: Blobs; close(): Promise<void> } {
  let opened: Promise<OpenBlobs> | undefined;
  const open = async () => {
    opened ??= import('./blobs.ts').then(({ openBlobs }) => openBlobs(environment));
    return (await opened).blobs;
  };
  return {
    blobs: {
      put: async (key, data) => (await open()).put(key, data),
      get: async (key) => (await open()).get(key),
      has: async (key) => (await open()).has(key),
      delete: async (key) => (await open()).delete(key),
      async *list(prefix) {
        yield* (await open()).list(prefix);
      },
    },
    close: async () => (await opened)?.close(),
  };
}
