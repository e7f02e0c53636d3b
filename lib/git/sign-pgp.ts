import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { ExecError, type RunResult } from '../exec.ts';
import { MEMORY } from './leftovers.ts';
import { createPrivateFile } from './private-file.ts';
import type { SigningDependencies } from './sign-ssh.ts';

/**
 * Signs with an OpenPGP key, by `gpg` in a key ring of its own that is removed afterwards.
 * @param key armoured, with the private part; one key alone
 * @param passphrase empty for a key without
 * @returns the armoured signature
 * @throws {Error} saying what is wrong with the key
 */
export async function signWithPgp(
  deps: SigningDependencies,
  payload: Uint8Array,
  { key, passphrase, signal }: { key: string; passphrase: string; signal: AbortSignal },
): Promise<string> {
  const home = await mkdtemp(join(existsSync(MEMORY) ? MEMORY : deps.temporaryDirectory, 'slipway-gpg-'));
  const secret = createPrivateFile(passphrase, home);
  const env = { HOME: home, GNUPGHOME: home };
  const unlock = ['--pinentry-mode', 'loopback', '--passphrase-file', secret.path];
  async function gpg(args: readonly string[], stdin: Uint8Array | string): Promise<RunResult> {
    const common = ['--homedir', home, '--batch', '--no-tty', '--no-options', '--quiet', '--status-fd', '2'];
    const secrets = [key, passphrase].filter((text) => text !== '');
    return deps
      .run('gpg', [...common, ...unlock, ...args], { stdin, signal, env, secrets })
      .catch((error: unknown) => {
        if (!(error instanceof ExecError) || error.fault !== 'not-found') throw error;
        throw new Error('OpenPGP signatures need the program gpg (package gnupg) on the machine');
      });
  }
  try {
    const imported = await gpg(['--import'], key);
    const ids = [...new Set(imported.stderr.match(/(?<=^\[GNUPG:\] IMPORT_OK \d+ )[0-9A-F]{40}/gm) ?? [])];
    if (ids.length > 1) throw new Error('it holds several keys; leave only the one to sign with');
    if (!/^\[GNUPG:\] IMPORT_OK (1[6-9]|[2-9]\d) /m.test(imported.stderr)) {
      throw new Error(
        ids.length === 0 ? 'the key cannot be read; it must be armoured' : 'the key has no private part',
      );
    }
    const signed = await gpg(
      ['--local-user', ids[0] ?? '', '--armor', '--detach-sign', '--output', '-'],
      payload,
    );
    if (signed.code === 0) return Buffer.from(signed.stdout).toString('utf8');
    throw new Error(
      /BAD_PASSPHRASE|MISSING_PASSPHRASE|Bad passphrase|No passphrase/i.test(signed.stderr)
        ? passphrase === ''
          ? "the key is encrypted, and there is no 'passphrase' beside it"
          : 'the passphrase does not open the key'
        : `gpg cannot sign with the key: ${lastLine(signed.stderr)}`,
    );
  } finally {
    secret.close();
    await deps.run('gpgconf', ['--homedir', home, '--kill', 'gpg-agent'], { env }).catch(() => undefined);
    await rm(home, { recursive: true, force: true });
  }
}

function lastLine(stderr: string): string {
  return (
    stderr
      .split('\n')
      .filter((line) => !line.startsWith('[GNUPG:]'))
      .at(-1) ?? ''
  );
}
