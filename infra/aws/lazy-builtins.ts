import process from 'node:process';
import type { Plugin } from 'esbuild';

/**
 * Imports of Node's own modules load them when the first of their functions is called: `node:https` costs a cold start nothing where nothing is sent
 * by it. Of other members those that are used are read at once. An `import` would load the module and read all of its members, of which some
 * load much more: `node:http` has WebSocket, and with it the whole of fetch.
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
  const members = Object.entries(Object.getOwnPropertyDescriptors(module)).filter(
    ([name]) => name !== 'default' && /^[A-Za-z_]\w*$/.test(name),
  );
  const get = `process.getBuiltinModule(${JSON.stringify(path)})`;
  const exports = members.map(([name, { value }]) =>
    isPlainFunction(name, value)
      ? `const member_${name} = (...args) => ${get}.${name}(...args);`
      : `const member_${name} = /* @__PURE__ */ (() => ${get}.${name})();`,
  );
  const list = members.map(([name]) => `member_${name} as ${name}`).join(', ');
  return `export default /* @__PURE__ */ ${get};\n${exports.join('\n')}\nexport { ${list} };`;
}

/** Whether another function can stand in for it: not for a class, nor for one with members of its own, by which `promisify` goes. */
function isPlainFunction(name: string, value: unknown): boolean {
  return (
    typeof value === 'function' &&
    /^[a-z]/.test(name) &&
    Reflect.ownKeys(value).every((key) => ['length', 'name', 'prototype'].includes(String(key)))
  );
}
