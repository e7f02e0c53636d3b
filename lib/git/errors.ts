import { redact } from '../core/redact.ts';

/**
 * What went wrong in a Git operation:
 * - `url`: not a URL we fetch from; `refused`: the repository, or its server, asks for something we do not do,
 * - `auth`: credentials missing or not accepted, host key unknown; `not-found`: no such repository, or it is hidden from us,
 * - `missing`: the server has no such commit or ref; `redirect`: it answers from elsewhere,
 * - `network`: no answer; `timeout`, `aborted`; `too-big`: over a limit; `corrupt`: what we have or got does not hold together.
 */
export type GitFault =
  | 'url'
  | 'refused'
  | 'auth'
  | 'not-found'
  | 'missing'
  | 'redirect'
  | 'network'
  | 'timeout'
  | 'aborted'
  | 'too-big'
  | 'corrupt'
  | 'other';

/** A Git operation failed. The message says what is wrong and, where known, what to do; secrets are removed. */
export class GitError extends Error {
  override readonly name = 'GitError';
  readonly fault: GitFault;

  constructor(
    fault: GitFault,
    message: string,
    options: { cause?: unknown; secrets?: readonly string[] } = {},
  ) {
    super(
      redact(message, options.secrets),
      options.cause === undefined ? undefined : { cause: options.cause },
    );
    this.fault = fault;
  }
}

/** What Git, curl and ssh print in each case, and what it means. The first that matches counts. */
const MEANINGS: readonly [RegExp, GitFault, string][] = [
  [
    /returned error: 30[12378]|unable to update url base from redirection/i,
    'redirect',
    'the server redirects',
  ],
  [
    /Host key verification failed|No .* host key is known/i,
    'auth',
    'the host key of the server is not in known_hosts of the secret, or it has changed',
  ],
  [
    /could not read (Username|Password)|terminal prompts disabled|returned error: 401|Authentication failed/i,
    'auth',
    'the server asks for credentials, or does not accept those of the secret',
  ],
  [/returned error: 403/i, 'auth', 'the credentials have no right to read this repository'],
  [
    /Permission denied \(|Load key |invalid format|incorrect passphrase|no such identity/i,
    'auth',
    'the server does not accept the SSH identity of the secret',
  ],
  [
    /not our ref|unadvertised object|couldn't find remote ref|no such remote ref|does not allow request for/i,
    'missing',
    'the server does not have it',
  ],
  [
    /returned error: (404|410)|repository .* not found|not found: did you run git update-server-info|does not appear to be a git repository/i,
    'not-found',
    'there is no such repository, or the credentials may not see it',
  ],
  [
    /certificate|SSL|TLS/,
    'network',
    "the server's certificate is not trusted; a private authority belongs in ca.crt of the secret",
  ],
  [
    /Could not resolve|Failed to connect|Connection (refused|timed out|reset|closed)|unable to access|hung up|early EOF|RPC failed|returned error: (429|5\d\d)|Network is unreachable|No route to host/i,
    'network',
    'the server does not answer as it should',
  ],
  [/transport '.*' not allowed|protocol '.*' not allowed/i, 'refused', 'its protocol is not allowed'],
  [
    /fsck error|index-pack failed|corrupt|bad object|loose object|missing (blob|tree|commit)|unable to read|object file .* is empty|bad tree|not a git repository|shallow\.lock|\.lock': File exists/i,
    'corrupt',
    'its objects do not hold together',
  ],
];

/**
 * Turns what a Git process printed into an error.
 * @param what what was being done, as in `list the refs of https://…`
 */
export function explain(what: string, stderr: string, secrets: readonly string[]): GitError {
  const [, fault, meaning] = MEANINGS.find(([pattern]) => pattern.test(stderr)) ?? [
    undefined,
    'other' as const,
    '',
  ];
  const said = lastLines(stderr);
  const message = [`cannot ${what}`, meaning, said].filter((part) => part !== '').join(': ');
  return new GitError(fault, message, { secrets });
}

/** The lines that say something, at most three, without Git's prefixes and hints. */
function lastLines(stderr: string): string {
  return stderr
    .split('\n')
    .map((line) => line.replace(/^(fatal|error|remote|warning):\s*/i, '').trim())
    .filter((line) => line !== '' && !/^(hint:|Warning: Permanently added)/.test(line))
    .slice(-3)
    .join('; ')
    .slice(0, 1_000);
}
