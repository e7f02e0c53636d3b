import { execFile } from 'node:child_process';
import { chmodSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import process from 'node:process';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { enginePath } from '../../infra/engine/location.ts';

const script = join(import.meta.dirname, '../../infra/engine/build.ts');
let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'engine-build-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

/** Puts a `go` on the PATH that counts its builds and takes a moment for each. */
function fakeGo(build = 'sleep 0.3; printf program >"$output"'): string {
  const go = join(folder, 'go');
  const lines = [
    '#!/bin/sh',
    'if [ "$1" = version ]; then echo "go version go1.26.0 linux/amd64"; exit 0; fi',
    'while [ $# -gt 0 ]; do if [ "$1" = -o ]; then output=$2; fi; shift; done',
    `echo build >>"${folder}/builds"`,
    build,
  ];
  writeFileSync(go, `${lines.join('\n')}\n`);
  chmodSync(go, 0o755);
  return [folder, '/usr/bin', '/bin'].join(delimiter);
}

function run(path: string): Promise<{ code: number; output: string }> {
  const env = { PATH: path, SLIPWAY_CACHE: join(folder, 'cache') };
  return new Promise((resolve) => {
    execFile(process.execPath, [script], { env }, (error, stdout, stderr) =>
      resolve({ code: error ? Number(error.code) : 0, output: stdout + stderr }),
    );
  });
}

const target = () => enginePath({ SLIPWAY_CACHE: join(folder, 'cache') });

describe('building the engine', () => {
  test('without Go says what to install, before anything is done', async () => {
    const { code, output } = await run(folder);
    expect(code).toBe(1);
    expect(output).toMatch(/built with Go 1\.\d+ or newer, and there is no "go" on the PATH/);
    expect(readdirSync(folder)).toEqual([]);
  });

  test('is done once, and then takes one line', async () => {
    const path = fakeGo();
    expect((await run(path)).output).toMatch(/building/);
    expect(readFileSync(target(), 'utf8')).toBe('program');
    expect((await run(path)).output).toBe(`engine: ${target()}\n`);
    expect(readFileSync(join(folder, 'builds'), 'utf8')).toBe('build\n');
  });

  test('twice at once is done once', async () => {
    const path = fakeGo();
    const results = await Promise.all([run(path), run(path)]);
    expect(results.map(({ code }) => code)).toEqual([0, 0]);
    expect(readFileSync(join(folder, 'builds'), 'utf8')).toBe('build\n');
    expect(readdirSync(dirname(target()))).toEqual(['engine']);
  });

  test('that fails leaves nothing that looks like an engine, and can be repeated', async () => {
    const { code, output } = await run(fakeGo('printf half >"$output"; exit 2'));
    expect(code).toBe(1);
    expect(output).toMatch(/ended with code 2/);
    expect(readdirSync(dirname(target()))).toEqual([]);
    expect((await run(fakeGo())).code).toBe(0);
  });

  test('goes on when a build before it was killed', async () => {
    await run(fakeGo('exit 2'));
    writeFileSync(join(dirname(target()), 'lock'), '999999999');
    expect((await run(fakeGo())).code).toBe(0);
  });
});

test('an engine built elsewhere is named by SLIPWAY_ENGINE', () => {
  expect(enginePath({ SLIPWAY_ENGINE: '/opt/engine' })).toBe('/opt/engine');
  expect(enginePath({ XDG_CACHE_HOME: '/var/cache' })).toMatch(
    /^\/var\/cache\/slipway\/engine\/[0-9a-f]{16}\/engine$/,
  );
});
