import process from 'node:process';
import type { Plugin } from 'esbuild';

/**
 * Imports of Node's own modules read the members that are used. An `import` of one reads all of its members, of which some load much more:
 * `node:http` has WebSocket, and with it the whole of fetch.
 */
export const lazyBuiltins: Plugin = {
  name: 'lazy-builtins',
  setup(building) {
    building.onResolve({ filter: /^node:/ }, ({ path, kind }) =>
      kind === 'import-statement' ? { path, namespace: 'builtin', sideEffects: false } : undefined,
    );
    building.onLoad({ filter: /.*/, namespace: 'builtin' }, ({ path }) => ({ contents: membersOf(path) }));
  },
};

/** A module that exports each member; those that nobody imports fall away, since reading one is said to do nothing else. */
function membersOf(path: string): string {
  const module = process.getBuiltinModule(path) as object;
  const names = Object.getOwnPropertyNames(module).filter(
    (name) => name !== 'default' && /^[A-Za-z_]\w*$/.test(name),
  );
  const get = `/* @__PURE__ */ process.getBuiltinModule(${JSON.stringify(path)})`;
  const exports = names.map((name) => `const member_${name} = /* @__PURE__ */ (() => whole.${name})();`);
  const list = names.map((name) => `member_${name} as ${name}`).join(', ');
  return `const whole = ${get};\nexport default whole;\n${exports.join('\n')}\nexport { ${list} };`;
}
