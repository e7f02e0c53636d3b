import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ExecError, type RunOptions, type RunResult } from '../exec.ts';

/** What a check of an OpenPGP signature needs from outside. */
export interface PgpDependencies {
  run: (command: string, args: readonly string[], options?: RunOptions) => Promise<RunResult>;
  temporaryDirectory: string;
}

/** Anything of this in gpg's answer spoils a signature, whatever else it says. */
const SPOILED: readonly [RegExp, string][] = [
  [/^\[GNUPG:\] (NO_PUBKEY|ERRSIG)/m, 'it was made by a key that is not among the trusted keys'],
  [/^\[GNUPG:\] BADSIG/m, 'it does not fit what was signed'],
  [/^\[GNUPG:\] (EXPSIG|SIGEXPIRED)/m, 'it has expired'],
  [/^\[GNUPG:\] (EXPKEYSIG|KEYEXPIRED)/m, 'its key has expired'],
  [/^\[GNUPG:\] (REVKEYSIG|KEYREVOKED)/m, 'its key was revoked'],
];

/**
 * Verifies an OpenPGP signature with `gpg`, in a key ring of its own that holds the trusted keys and nothing else.
 * https://github.com/gpg/gnupg/blob/master/doc/DETAILS
 * @returns the long id of the key that made it
 * @throws {Error} why it does not hold
 */
export async function verifyPgpSignature(
  deps: PgpDependencies,
  signature: string,
  payload: Uint8Array,
  keyRings: readonly string[],
  signal: AbortSignal,
): Promise<string> {
  if (keyRings.length === 0)
    throw new Error('it is an OpenPGP signature, and the secret holds no OpenPGP key');
  const home = await mkdtemp(join(deps.temporaryDirectory, 'slipway-gpg-'));
  async function gpg(args: readonly string[], stdin: Uint8Array | string): Promise<RunResult> {
    const common = [
      '--homedir',
      home,
      '--batch',
      '--no-tty',
      '--no-autostart',
      '--no-options',
      '--quiet',
      '--status-fd',
      '1',
    ];
    const options: RunOptions = { stdin, signal, env: { HOME: home, GNUPGHOME: home }, maxOutput: 1_000_000 };
    return deps.run('gpg', [...common, ...args], options).catch((error: unknown) => {
      if (!(error instanceof ExecError) || error.fault !== 'not-found') throw error;
      throw new Error(
        'OpenPGP signatures need the program gpg (package gnupg) on the machine; SSH signatures do not',
      );
    });
  }
  try {
    for (const keys of keyRings) {
      const { code, stderr } = await gpg(['--import'], keys);
      if (code !== 0) throw new Error(`a key of the secret cannot be read: ${stderr.split('\n').at(-1)}`);
    }
    const file = join(home, 'signature.asc');
    await writeFile(file, signature, { mode: 0o600 });
    const { stdout, code } = await gpg(['--trust-model', 'always', '--verify', file, '-'], payload);
    return readStatus(Buffer.from(stdout).toString('utf8'), code);
  } finally {
    await rm(home, { recursive: true, force: true });
  }
}

function readStatus(status: string, code: number): string {
  const spoiled = SPOILED.find(([pattern]) => pattern.test(status));
  if (spoiled) throw new Error(spoiled[1]);
  const good = /^\[GNUPG:\] GOODSIG ([0-9A-F]{16,40}) /m.exec(status);
  const signatures = status.match(/^\[GNUPG:\] NEWSIG/gm) ?? [];
  if (code !== 0 || !good || !/^\[GNUPG:\] VALIDSIG /m.test(status) || signatures.length > 1) {
    throw new Error('gpg does not call it good');
  }
  return good[1] as string;
}
