import type { Plugin } from 'esbuild';

/**
 * Imports of Node's own modules ask for a member when it is used. An `import` of one reads all its members at once, of which some load
 * much more: `node:http` has WebSocket, and with it the whole of fetch.
 */
export const lazyBuiltins: Plugin = {
  name: 'lazy-builtins',
  setup(building) {
    building.onResolve({ filter: /^node:/ }, ({ path, kind }) =>
      kind === 'import-statement' ? { path, namespace: 'builtin', sideEffects: false } : undefined,
    );
    building.onLoad({ filter: /.*/, namespace: 'builtin' }, ({ path }) => ({
      contents: `module.exports = process.getBuiltinModule(${JSON.stringify(path)});`,
    }));
  },
};
