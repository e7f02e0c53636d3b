import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { run } from '../../../lib/exec.ts';
import type { GitAuth } from '../../../lib/git/auth.ts';
import { renderConfig } from '../../../lib/git/config.ts';
import { parseGitUrl } from '../../../lib/git/url.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

const URL = parseGitUrl('https://host:8443/org/repo.git');

/** What Git itself reads from the configuration. */
async function readBack(config: string, args: readonly string[]): Promise<string> {
  const { path, remove } = await temporaryDirectory();
  const file = join(path, 'config');
  writeFileSync(file, config);
  const { stdout } = await run('git', ['config', '--file', file, ...args]);
  await remove();
  return String(stdout).trimEnd();
}

test('Git reads the settings as they are meant', async () => {
  const config = renderConfig(URL, {}, {}, ['10.0.0.1', '[::1]']);
  const all = await readBack(config, ['--list']);
  for (const line of [
    'core.hookspath=/dev/null',
    'core.symlinks=false',
    'protocol.allow=never',
    'protocol.https.allow=always',
    'http.followredirects=false',
    'transfer.fsckobjects=true',
    'fetch.fsck.hasdotdot=error',
    'http.curloptresolve=host:8443:10.0.0.1,[::1]',
  ]) {
    expect(all.split('\n')).toContain(line);
  }
});

test('the credential is sent to the origin of the URL alone', async () => {
  const config = renderConfig(URL, { basic: { username: 'user', password: 'p"a\\ss' } }, {}, undefined);
  const header = `Authorization: Basic ${Buffer.from('user:p"a\\ss').toString('base64')}`;
  const at = (url: string) => readBack(config, ['--get-urlmatch', 'http.extraHeader', url]);
  expect(await at('https://host:8443/org/repo.git')).toBe(header);
  for (const other of [
    'https://host/org/repo.git',
    'http://host:8443/org/repo.git',
    'https://host.evil:8443/org',
    'https://sub.host:8443/x',
  ]) {
    expect([other, await at(other)]).toEqual([other, '']);
  }
});

test('a bearer token is sent as it is', async () => {
  const config = renderConfig(URL, { bearer: 'abc.def' }, {}, undefined);
  expect(await readBack(config, ['--get-urlmatch', 'http.extraHeader', URL.href])).toBe(
    'Authorization: Bearer abc.def',
  );
});

test('no credential can add a setting of its own', async () => {
  const value = fc.string({ unit: fc.constantFrom(...'a"\\[]=\n\r\t #;'), minLength: 1, maxLength: 12 });
  const configs = fc.sample(
    value.map((text): GitAuth => ({ bearer: text, proxy: `http://${text}` })),
    25,
  );
  const count = async (auth: GitAuth) =>
    (await readBack(renderConfig(URL, auth, { ca: '/x' }, undefined), ['--list', '--name-only'])).split('\n');
  const usual = await count({ bearer: 'x', proxy: 'y' });
  for (const auth of configs) expect(await count(auth)).toEqual(usual);
});
