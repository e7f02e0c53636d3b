import { writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { ExecError, type RunOptions, type RunResult } from '../exec.ts';
import { createPrivateFile } from './private-file.ts';

/** What signing needs from outside. */
export interface SigningDependencies {
  run: (command: string, args: readonly string[], options?: RunOptions) => Promise<RunResult>;
  /** An existing directory for temporary files. */
  temporaryDirectory: string;
}

/**
 * Signs with an SSH key as `git commit -S` does, by `ssh-keygen -Y sign -n git`. https://man.openbsd.org/ssh-keygen#Y~3
 * @param key in OpenSSH's format
 * @param passphrase empty for a key without
 * @returns the armoured signature
 * @throws {Error} saying what is wrong with the key
 */
export async function signWithSsh(
  deps: SigningDependencies,
  payload: Uint8Array,
  { key, passphrase, signal }: { key: string; passphrase: string; signal: AbortSignal },
): Promise<string> {
  const home = await mkdtemp(join(deps.temporaryDirectory, 'slipway-git-'));
  const files = [createPrivateFile(key.endsWith('\n') ? key : `${key}\n`, home)];
  try {
    const askpass = join(home, 'askpass');
    if (passphrase !== '') {
      const secret = createPrivateFile(passphrase, home);
      files.push(secret);
      writeFileSync(askpass, `#!/bin/sh\nexec cat '${secret.path}'\n`, { mode: 0o700 });
    }
    const asking = passphrase === '' ? {} : { SSH_ASKPASS: askpass, SSH_ASKPASS_REQUIRE: 'force' };
    const result = await deps
      .run('ssh-keygen', ['-Y', 'sign', '-n', 'git', '-f', files[0]?.path ?? ''], {
        stdin: payload,
        cwd: home,
        env: { HOME: home, ...asking },
        secrets: [key, passphrase].filter((secret) => secret !== ''),
        signal,
      })
      .catch((error: unknown) => {
        if (!(error instanceof ExecError) || error.fault !== 'not-found') throw error;
        throw new Error('SSH signatures need the program ssh-keygen (package openssh-client) on the machine');
      });
    if (result.code === 0) return Buffer.from(result.stdout).toString('utf8');
    throw new Error(problemOf(result.stderr, passphrase !== ''));
  } finally {
    for (const file of files) file.close();
    await rm(home, { recursive: true, force: true });
  }
}

function problemOf(stderr: string, hasPassphrase: boolean): string {
  if (/passphrase|askpass|Permission denied/i.test(stderr))
    return hasPassphrase
      ? 'the password does not open the key'
      : "the key is encrypted, and there is no 'password' beside it";
  return `the key cannot be used (only keys in OpenSSH's format can): ${stderr.split('\n').at(-1) ?? ''}`;
}
