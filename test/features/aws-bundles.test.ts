import { createHmac } from 'node:crypto';
import { once } from 'node:events';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { dirname, join } from 'node:path';
import process from 'node:process';
import { setImmediate } from 'node:timers/promises';
import { build } from 'esbuild';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Bundle, buildOptions, bundleFunctions } from '../../infra/aws/bundle.ts';
import { PACKAGED_FLEET, ROOT } from '../../infra/aws/package-stacks.ts';
import { run } from '../../lib/exec.ts';
import { packFleet } from '../../lib/fleet/pack-fleet.ts';
import { createNetworkPolicy } from '../../lib/network.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

/** Bytes of a function in all, with what is only loaded when it is asked for. */
const LIMIT = 600_000;

/** Bytes that may be loaded at a cold start. Sending statuses needs an HTTP client with rules of its own, and is in no hurry. */
const LIMITS: Readonly<Record<string, number>> = {
  webhook: 130_000,
  fanout: 260_000,
  sweep: 80_000,
  api: 120_000,
  forward: 40_000,
  notify: 500_000,
};

let directory: Awaited<ReturnType<typeof temporaryDirectory>>;
let bundles: Bundle[];
beforeAll(async () => {
  directory = await temporaryDirectory();
  bundles = await bundleFunctions(ROOT, directory.path);
});
afterAll(() => directory.remove());

describe('the bundle of a function', () => {
  it('is small', () => {
    expect(bundles.map(({ name }) => name).sort()).toEqual(Object.keys(LIMITS).sort());
    for (const { name, startBytes, bytes } of bundles) {
      expect(startBytes, name).toBeLessThanOrEqual(LIMITS[name] ?? 0);
      expect(bytes, name).toBeLessThanOrEqual(LIMIT);
    }
  });

  it('of webhooks holds no zod, which would take a quarter of a cold start to load', async () => {
    const { file } = bundles.find(({ name }) => name === 'webhook') as Bundle;
    const names = (await readdir(dirname(file))).filter((name) => name.endsWith('.mjs'));
    expect(names).toContain('index.mjs');
    for (const name of names)
      expect(await readFile(join(dirname(file), name), 'utf8'), name).not.toContain('ZodError');
  });

  it('runs by itself, and says what is missing in its environment', async () => {
    for (const { name, file } of bundles) {
      const script = `import { handler } from ${JSON.stringify(file)};
        const context = { getRemainingTimeInMillis: () => 10_000 };
        const request = { version: '2.0', rawPath: '/webhooks/github', rawQueryString: '', headers: {}, requestContext: { http: { method: 'POST', path: '/webhooks/github' } }, body: '{}' };
        const event = ${JSON.stringify(['webhook', 'api'].includes(name) ? 'http' : 'queue')} === 'http' ? request : { Records: [{ messageId: '1', receiptHandle: 'r', body: '{}', attributes: {}, messageAttributes: {} }] };
        try { console.log(JSON.stringify(await handler(event, context))); } catch (error) { console.log(error.message); }`;
      const { stdout, stderr, code } = await run(process.execPath, ['--input-type=module', '-e', script], {
        cwd: directory.path,
        timeout: 20_000,
      });
      expect({ name, code, stderr }).toMatchObject({ code: 0 });
      expect(`${Buffer.from(stdout).toString()}${stderr}`, name).toContain('SLIPWAY_TABLE');
    }
  });

  it('answers a webhook from the packaged fleet file', async () => {
    const text = packFleet('providers: [{name: hub, type: github, webhookSecrets: [env:SECRET]}]\n');
    const { stdout, stderr } = await callWebhook(text);
    expect(Buffer.from(stdout).toString(), stderr).toContain('"statusCode":401');
    // Loading Node's own HTTP client would be a quarter of a cold start, and nothing is signed or sent for a request without a signature.
    const [, loaded = ''] = Buffer.from(stdout).toString().split('loaded: ');
    expect(loaded).toContain('node:module ');
    for (const name of [
      'undici',
      'node:crypto ',
      'node:http ',
      'node:https ',
      'node:zlib ',
      'node:fs/promises ',
    ])
      expect(loaded).not.toContain(name);
  });

  it('verifies what GitHub has signed', async () => {
    const text = packFleet('providers: [{name: hub, type: github, webhookSecrets: [env:SECRET]}]\n');
    const answers: string[] = [];
    for (const secret of ['s', 'another']) {
      const signature = createHmac('sha256', secret).update('{}').digest('hex');
      const headers = { 'x-github-event': 'ping', 'x-hub-signature-256': `sha256=${signature}` };
      const { stdout, stderr } = await callWebhook(text, headers);
      answers.push(/"statusCode":(\d+)/.exec(Buffer.from(stdout).toString())?.[1] ?? stderr);
    }
    expect(answers).toEqual(['200', '401']);
  });

  it('takes no fleet file but a packaged one, and says what to do', async () => {
    const { stdout, stderr } = await callWebhook('providers: []\n');
    expect(Buffer.from(stdout).toString(), stderr).not.toContain('statusCode');
    expect(stderr).toMatch(/fleet\.json is not a fleet file that was packaged.*npm run package/);
  });
});

it('finds in a bundle what is imported of modules of Node: functions, classes, values, and functions that have members', async () => {
  const file = join(directory.path, 'imports.ts');
  await writeFile(
    file,
    `import { EventEmitter } from 'node:events';
     import { constants, existsSync, realpathSync } from 'node:fs';
     import path, { join, posix, sep } from 'node:path';
     import { env } from 'node:process';
     import { setTimeout } from 'node:timers';
     import { promisify } from 'node:util';
     import { gzipSync } from 'node:zlib';
     export const before = process.moduleLoadList.includes('NativeModule zlib');
     export const found = async () => [
       new EventEmitter() instanceof EventEmitter, constants.F_OK, existsSync('/'), realpathSync.native('/'), join('a', 'b'), path.join('a', 'b'),
       posix.sep, sep, env === process.env, await promisify(setTimeout)(1, 'waited'), gzipSync('').length > 0,
     ];`,
  );
  const outdir = join(directory.path, 'imports');
  await build(buildOptions(ROOT, file, outdir));
  const script = `import { before, found } from ${JSON.stringify(join(outdir, 'index.mjs'))};
    console.log(JSON.stringify([before, await found()]));`;
  const { stdout, stderr } = await run(process.execPath, ['--input-type=module', '-e', script]);
  expect(JSON.parse(Buffer.from(stdout).toString() || '[]'), stderr).toEqual([
    false,
    [true, 0, true, '/', 'a/b', 'a/b', '/', '/', true, 'waited', true],
  ]);
});

it('sends text and bytes and reads an answer in pieces with the part of the HTTP client that a bundle holds', async () => {
  const server = createServer(async (request, response) => {
    response.writeHead(201, { 'x-method': request.method });
    for await (const piece of request) {
      response.write(piece);
      await setImmediate();
    }
    response.end(' heard');
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  try {
    const outdir = join(directory.path, 'http');
    await build(buildOptions(ROOT, 'lib/http.ts', outdir));
    const { createHttp }: typeof import('../../lib/http.ts') = await import(join(outdir, 'index.mjs'));
    const policy = createNetworkPolicy({ allow: ['127.0.0.1'] });
    const http = createHttp({ policy, timeoutMs: 10_000, maxBytes: 1_000_000, userAgent: 'test' });
    const { port } = server.address() as AddressInfo;
    const send = async (method: 'GET' | 'POST', body?: string | Uint8Array) => {
      const url = `http://127.0.0.1:${port}/`;
      const answer = await http.request({ method, url, ...(body === undefined ? {} : { body }) });
      return [answer.status, answer.headers.get('x-method'), answer.text()];
    };
    expect(await send('GET')).toEqual([201, 'GET', ' heard']);
    expect(await send('POST', 'text')).toEqual([201, 'POST', 'text heard']);
    expect(await send('POST', new TextEncoder().encode('bytes'))).toEqual([201, 'POST', 'bytes heard']);
    await http.close();
  } finally {
    server.close();
  }
});

/** Calls the bundled webhook function once; without headers there is no signature. */
async function callWebhook(fleet: string, headers: Record<string, string> = {}) {
  await mkdir(join(directory.path, 'fleet'), { recursive: true });
  await writeFile(join(directory.path, 'fleet', PACKAGED_FLEET), fleet);
  const file = bundles.find(({ name }) => name === 'webhook')?.file ?? '';
  const script = `import { handler } from ${JSON.stringify(file)};
    const http = { method: 'POST', path: '/webhooks/github', sourceIp: '127.0.0.1' };
    const event = { version: '2.0', rawPath: '/webhooks/github', rawQueryString: '', headers: ${JSON.stringify({ 'content-type': 'application/json', ...headers })}, requestContext: { http, domainName: 'x' }, body: '{}', isBase64Encoded: false };
    console.log(JSON.stringify(await handler(event, { getRemainingTimeInMillis: () => 10_000 })));
    console.log('loaded:', process.moduleLoadList.map((name) => name.replace('NativeModule ', 'node:')).join(' '));`;
  return run(process.execPath, ['--input-type=module', '-e', script], {
    cwd: directory.path,
    env: {
      SLIPWAY_TABLE: 'table',
      SLIPWAY_BUCKET: 'bucket',
      SLIPWAY_QUEUES: 'http://127.0.0.1:1/1/slipway-',
      SLIPWAY_FLEET: `fleet/${PACKAGED_FLEET}`,
      AWS_REGION: 'eu-west-1',
      AWS_ACCESS_KEY_ID: 'x',
      AWS_SECRET_ACCESS_KEY: 'x',
      SECRET: 's',
    },
    timeout: 20_000,
  });
}
