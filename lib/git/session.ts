import { writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { rootCertificates } from 'node:tls';
import { ExecError, type RunOptions, type RunResult } from '../exec.ts';
import type { NetworkPolicy } from '../network.ts';
import { type GitAuth, secretsOf } from './auth.ts';
import { type ConfigFiles, renderConfig } from './config.ts';
import { explain, GitError } from './errors.ts';
import { createPrivateFile, type PrivateFile } from './private-file.ts';
import { sshCommand } from './ssh.ts';
import type { GitUrl } from './url.ts';

/** What Git operations need from outside. */
export interface GitDependencies {
  /** `run` of `lib/exec.ts`. */
  run: (command: string, args: readonly string[], options?: RunOptions) => Promise<RunResult>;
  /** An existing directory for temporary files and caches. */
  temporaryDirectory: string;
  /** Which hosts may be dialled. Without it: all. */
  policy?: NetworkPolicy;
  /** Epoch in ms. */
  now: () => number;
}

/** Settings of one Git call. */
export interface GitCall {
  /** What is being done, for the error: `list the refs`. */
  what: string;
  /** The bare repository to work in. */
  gitDir?: string;
  stdin?: Uint8Array | string;
  onStdout?: (chunk: Uint8Array) => void;
  maxOutput?: number;
  /** Further environment; never secrets. */
  env?: Readonly<Record<string, string>>;
  /** Ends this call alone. */
  signal?: AbortSignal;
  /** Hands back what came, whatever the exit code. */
  anyCode?: true;
}

/** Some Git calls to one server with one credential, under one time limit. */
export interface GitSession {
  /** Where the repository is; changes when a redirect is followed. */
  readonly url: GitUrl;
  readonly auth: GitAuth;
  /** Runs `git`. @throws {GitError} also for any exit code other than 0 */
  git(args: readonly string[], call: GitCall): Promise<RunResult>;
  /** Goes on at another place of the same server. */
  moveTo(url: GitUrl): Promise<void>;
  /** Removes everything secret. */
  close(): Promise<void>;
}

/** Whom to talk to, as whom and how long. */
export interface GitTarget {
  url: GitUrl;
  auth: GitAuth;
  /** For the whole session, in ms. */
  timeout: number;
  signal: AbortSignal;
}

/**
 * Opens a session: checks the host against the network policy and puts configuration and credentials where only our own
 * children can read them. Close it in any case.
 */
export async function openSession(deps: GitDependencies, target: GitTarget): Promise<GitSession> {
  const deadline = deps.now() + target.timeout;
  const secrets = secretsOf(target.auth);
  const home = await mkdtemp(join(deps.temporaryDirectory, 'slipway-git-'));
  const files: PrivateFile[] = [];
  let url = target.url;
  let environment: Record<string, string> = {};

  function keep(contents: string): string {
    const file = createPrivateFile(contents, home);
    files.push(file);
    return file.path;
  }

  async function prepare(): Promise<void> {
    const addresses = await allowedAddresses(deps.policy, url, target.auth);
    const paths: ConfigFiles = {};
    if (target.auth.ca !== undefined) paths.ca = keep([target.auth.ca, ...rootCertificates].join('\n'));
    if (target.auth.client) {
      paths.certificate = keep(target.auth.client.certificate);
      paths.key = keep(target.auth.client.key);
    }
    environment = {
      HOME: home,
      XDG_CONFIG_HOME: home,
      GIT_CONFIG_NOSYSTEM: '1',
      GIT_CONFIG_GLOBAL: keep(renderConfig(url, target.auth, paths, addresses)),
      GIT_ATTR_NOSYSTEM: '1',
      GIT_TERMINAL_PROMPT: '0',
      GIT_NO_LAZY_FETCH: '1',
      GIT_ALLOW_PROTOCOL: 'https:http:ssh',
      ...(url.scheme === 'ssh' ? ssh(addresses) : {}),
    };
  }

  function ssh(addresses: readonly string[] | undefined): Record<string, string> {
    const { auth } = target;
    if (!auth.ssh) throw new GitError('auth', 'SSH needs a secret with identity and known_hosts');
    const passphrase = auth.ssh.passphrase === '' ? undefined : keep(auth.ssh.passphrase);
    const askpass = join(home, 'askpass');
    if (passphrase !== undefined)
      writeFileSync(askpass, `#!/bin/sh\nexec cat '${passphrase}'\n`, { mode: 0o700 });
    return {
      GIT_SSH_VARIANT: 'ssh',
      GIT_SSH_COMMAND: sshCommand(url, {
        identity: keep(auth.ssh.identity),
        knownHosts: keep(auth.ssh.knownHosts),
        address: addresses?.[0],
      }),
      ...(passphrase === undefined ? {} : { SSH_ASKPASS: askpass, SSH_ASKPASS_REQUIRE: 'force' }),
    };
  }

  async function git(args: readonly string[], call: GitCall): Promise<RunResult> {
    const left = deadline - deps.now();
    if (left <= 0) throw tooLate(call.what);
    const options: RunOptions = {
      env: { ...environment, ...call.env },
      cwd: home,
      timeout: left,
      secrets,
      signal: call.signal ? AbortSignal.any([target.signal, call.signal]) : target.signal,
    };
    if (call.stdin !== undefined) options.stdin = call.stdin;
    if (call.onStdout) options.onStdout = call.onStdout;
    if (call.maxOutput !== undefined) options.maxOutput = call.maxOutput;
    const place = call.gitDir === undefined ? [] : [`--git-dir=${call.gitDir}`];
    const result = await deps.run('git', [...place, ...args], options).catch((error: unknown) => {
      throw asGitError(error, call.what, secrets);
    });
    if (result.code !== 0 && !call.anyCode) throw explain(call.what, result.stderr, secrets);
    return result;
  }

  function tooLate(what: string): GitError {
    return new GitError(
      'timeout',
      `cannot ${what}: no answer within ${Math.round(target.timeout / 100) / 10} s (spec.timeout)`,
    );
  }

  function asGitError(error: unknown, what: string, hidden: readonly string[]): unknown {
    if (!(error instanceof ExecError)) return error;
    if (error.fault === 'timeout') return tooLate(what);
    if (error.fault === 'aborted') return new GitError('aborted', `cannot ${what}: aborted`);
    if (error.fault === 'output')
      return new GitError('too-big', `cannot ${what}: ${error.message}`, { secrets: hidden });
    if (error.fault === 'not-found') return new GitError('other', 'git is not installed on this machine');
    return new GitError('other', `cannot ${what}: ${error.message} ${error.stderr}`, { secrets: hidden });
  }

  async function close(): Promise<void> {
    for (const file of files.splice(0)) file.close();
    await rm(home, { recursive: true, force: true });
  }

  try {
    await prepare();
  } catch (error) {
    await close();
    throw error;
  }
  return {
    get url() {
      return url;
    },
    auth: target.auth,
    git,
    async moveTo(next) {
      url = next;
      for (const file of files.splice(0)) file.close();
      await prepare();
    },
    close,
  };
}

/** The addresses to dial instead of resolving the name again, so that a name that changes in between gains nothing. */
async function allowedAddresses(
  policy: NetworkPolicy | undefined,
  url: GitUrl,
  auth: GitAuth,
): Promise<string[] | undefined> {
  if (!policy) return undefined;
  const host = auth.proxy === undefined ? url.host : new URL(auth.proxy).hostname;
  const found = await policy.check(host).catch((error: unknown) => {
    const message = error instanceof Error ? error.message : String(error);
    throw new GitError('network', `cannot reach ${host}: ${message}`, { cause: error });
  });
  return found.map(({ address, family }) => (family === 6 ? `[${address}]` : address));
}
