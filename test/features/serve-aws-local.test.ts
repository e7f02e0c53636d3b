import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import process from 'node:process';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { runCli } from '../support/cli.ts';
import { eventually } from '../support/eventually.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

const SERVE = join(import.meta.dirname, '..', 'aws-local', 'serve.ts');

let directory: Awaited<ReturnType<typeof temporaryDirectory>>;
beforeAll(async () => {
  directory = await temporaryDirectory();
  const provider = '{name: tea, type: gitea, url: https://git.example.com, webhookSecrets: [env:SECRET]}';
  await writeFile(join(directory.path, 'slipway.yaml'), `clusters: []\nproviders: [${provider}]\n`);
});
afterAll(() => directory.remove());

const started: ChildProcess[] = [];
afterEach(() => {
  for (const child of started) if (child.exitCode === null) child.kill('SIGKILL');
});

/** `npm run serve:aws-local` in the directory of the fleet file. */
function serve(...args: string[]) {
  // Its temporary files go where the test can see them.
  const env = { ...process.env, TMPDIR: directory.path, SECRET: 'a secret' };
  const child = spawn(process.execPath, [SERVE, ...args], { cwd: directory.path, env });
  started.push(child);
  const said = { out: '', error: '' };
  child.stdout.on('data', (chunk) => {
    said.out += chunk;
  });
  child.stderr.on('data', (chunk) => {
    said.error += chunk;
  });
  return { child, said, ended: once(child, 'close').then(([code]) => code as number) };
}

async function leftovers(): Promise<string[]> {
  return (await readdir(directory.path)).filter((name) => name.startsWith('slipway-aws-'));
}

describe('npm run serve:aws-local', () => {
  it('says where webhooks go and how commands find it, takes requests, and leaves nothing behind', async () => {
    const { child, said, ended } = serve('--port', '0');
    const url = await eventually('it serves', async () => /Webhooks: (\S+)\n/.exec(said.out)?.[1]);
    expect(url).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/webhooks\/gitea$/);
    expect((await fetch(url, { method: 'POST', body: '{}' })).status).toBe(401);
    expect(await leftovers()).toHaveLength(1);
    const env = Object.fromEntries(
      [...said.out.matchAll(/export (\w+)='(.*)'/g)].map(([, name = '', value = '']) => [name, value]),
    );
    const letters = await runCli(['dead-letters'], { cwd: '/', env });
    expect(letters).toEqual({ code: 0, stdout: '', stderr: 'there are no dead letters\n' });

    child.kill('SIGINT');
    expect(await ended).toBe(0);
    expect(said.error).toContain('stopping when the jobs under way have ended');
    expect(await leftovers()).toEqual([]);
  });

  it('refuses what it does not understand, and says why', async () => {
    const help = serve('--help');
    expect(await help.ended).toBe(0);
    expect(help.said.out).toContain('--elsewhere <cluster...>');
    for (const [args, why] of [
      [['--config', 'none.yaml'], /there is no fleet file .*none\.yaml/],
      [['--elsewhere', 'nowhere'], /there is no cluster nowhere in .*slipway\.yaml; it has: none/],
      [['--port', 'http'], /--port is "http"; it must be 0 \(any free one\) to 65535/],
      [['slipway.yaml'], /too many arguments/],
    ] as const) {
      const { said, ended } = serve(...args);
      expect(await ended).toBe(1);
      expect(said.error).toMatch(why);
      expect(said.out).toBe('');
    }
    expect(await leftovers()).toEqual([]);
  });
});
