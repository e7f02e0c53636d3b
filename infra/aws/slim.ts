import { join } from 'node:path';
import type { Plugin } from 'esbuild';

/** A module of a dependency and what stands in its place in a bundle. */
interface Replacement {
  /** Matched against the file's path. */
  file: RegExp;
  /** The module's text; imports start at its folder. */
  contents: string;
}

/** What no function ever runs. Every line says why it can be left out; test/features/aws-bundles.test.ts runs what is left. */
const REPLACEMENTS: readonly Replacement[] = [
  // The fleet file is read when it is packaged; a bundle has nothing that reads YAML.
  {
    file: /\/lib\/fleet\/load-fleet\.ts$/,
    contents: `
      export function loadFleet(text, { path }) {
        throw new Error(path + ' is not a fleet file that was packaged for a function; package the functions with "npm run package", or deploy them with "slipway deploy"');
      }`,
  },
  // Every function calls AWS: what it does that by stands in its first file, since each further one takes a cold start a millisecond or two.
  {
    file: /\/functions\/open-aws-api\.ts$/,
    contents: `
      import { openAwsApi } from './aws-api.ts';
      export function lazyAwsApi(region) {
        let opened;
        return async () => (opened ??= openAwsApi(region));
      }`,
  },
  // Messages of zod in English alone: the other languages are a quarter of a megabyte.
  { file: /\/zod\/v4\/locales\/index\.js$/, contents: "export { default as en } from './en.js';" },
  // In Lambda credentials come by the environment. The SDK's chain would also ask files, sign-in and metadata addresses, which no function
  // should.
  {
    file: /\/@aws-sdk\/credential-provider-node\/.*\.js$/,
    contents: `
      export const defaultProvider = () => async () => {
        const { AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey, AWS_SESSION_TOKEN: sessionToken } = process.env;
        if (!accessKeyId || !secretAccessKey) throw new Error('AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY are not set; Lambda gives them to a function that has a role');
        return { accessKeyId, secretAccessKey, ...(sessionToken ? { sessionToken } : {}) };
      };`,
  },
  // What checks a signature, and not what hands events to listeners.
  {
    file: /\/@octokit\/webhooks\/dist-bundle\/index\.js$/,
    contents: `
      import { verify } from '@octokit/webhooks-methods';
      export class Webhooks {
        constructor({ secret }) {
          this.verify = (payload, signature) => verify(secret, payload, signature);
        }
      }`,
  },
  // The part of undici's index that we import, as it is made there: not fetch, caches, mocks and WebSockets.
  {
    file: /\/undici\/index\.js$/,
    contents: `
      const Dispatcher = require('./lib/dispatcher/dispatcher.js');
      Object.assign(Dispatcher.prototype, require('./lib/api/index.js'));
      module.exports.Agent = require('./lib/dispatcher/agent.js');
      module.exports.Pool = require('./lib/dispatcher/pool.js');
      module.exports.buildConnector = require('./lib/core/connect.js');
      module.exports.request = (url, { dispatcher, ...options }) => {
        const { origin, pathname, search } = new URL(url);
        return dispatcher.request({ method: options.body ? 'PUT' : 'GET', ...options, origin, path: pathname + search });
      };`,
  },
  // Bodies that are sent are text or bytes, never forms; what reads and writes forms is most of fetch.
  { file: /\/undici\/lib\/web\/fetch\/(body|formdata)\.js$/, contents: '' },
  {
    file: /\/undici\/lib\/web\/webidl\/index\.js$/,
    contents: 'module.exports.webidl = { is: { FormData: () => false } };',
  },
  // HTTP parsers: one that is switched off, and one for processors without SIMD, of which Lambda has none.
  { file: /\/undici\/lib\/milo\/(no-)?simd\.js$/, contents: 'module.exports = undefined;' },
  {
    file: /\/undici\/lib\/dispatcher\/parser-h1\.js$/,
    contents: 'module.exports = { getMiloEnabled: () => false };',
  },
  { file: /\/undici\/lib\/llhttp\/llhttp-wasm\.js$/, contents: 'module.exports = undefined;' },
];

/** Leaves out of a bundle what no function ever runs. */
export const slim: Plugin = {
  name: 'slim',
  setup(building) {
    // Its modules, of which unused ones fall away; in Node it comes as CommonJS otherwise.
    building.onResolve({ filter: /^yaml$/ }, ({ resolveDir }) =>
      building.resolve('./node_modules/yaml/browser/index.js', {
        kind: 'import-statement',
        resolveDir: rootOf(resolveDir, building.initialOptions.absWorkingDir),
      }),
    );
    for (const { file, contents } of REPLACEMENTS)
      building.onLoad({ filter: file }, ({ path }) => ({ contents, resolveDir: join(path, '..') }));
  },
};

function rootOf(resolveDir: string, root: string | undefined): string {
  return root ?? resolveDir;
}
