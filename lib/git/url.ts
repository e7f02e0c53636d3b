import { GitError } from './errors.ts';

/** The parts of a repository's URL. */
export interface GitUrl {
  scheme: 'https' | 'http' | 'ssh';
  /** Without brackets, lower case. */
  host: string;
  port: number;
  /** Begins with a slash; as written. */
  path: string;
  /** Empty when the URL names none. */
  username: string;
  password: string;
  /** What Git is given: no password, and a user only for SSH. */
  href: string;
}

const FORM = /^(https?|ssh):\/\/(?:([^/@]*)@)?(\[[0-9a-f:.]+\]|[a-z0-9._-]+)(?::([0-9]{1,5}))?(\/[^#]*)$/i;
const PORTS = { https: 443, http: 80, ssh: 22 } as const;
const MAX_LENGTH = 4_096;

/**
 * Reads a repository's URL and refuses what Git could take for something else: other protocols (`ext::`, `file://`, `git@host:path`),
 * options, line breaks.
 * @throws {GitError} `url`
 */
export function parseGitUrl(text: string): GitUrl {
  if (text.length > MAX_LENGTH) throw refuse('URL', `is longer than ${MAX_LENGTH} characters`);
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is refused here
  if (/[\s\u0000-\u001f\u007f\\]|%0[0-9a-d]/i.test(text)) {
    throw refuse(JSON.stringify(text), 'contains white space, a control character or a backslash');
  }
  const match = FORM.exec(text);
  if (!match) throw refuse(JSON.stringify(text), 'is not of the form https://host/path, http://… or ssh://…');
  const [, rawScheme = '', userinfo = '', rawHost = '', rawPort, path = ''] = match;
  const scheme = rawScheme.toLowerCase() as GitUrl['scheme'];
  const host = rawHost.toLowerCase().replace(/^\[|\]$/g, '');
  const port = rawPort === undefined ? PORTS[scheme] : Number(rawPort);
  const { username, password } = readUserinfo(userinfo);
  if (host.startsWith('-') || username.startsWith('-'))
    throw refuse(JSON.stringify(text), 'has a part that begins with "-"');
  if (port < 1 || port > 65_535) throw refuse(JSON.stringify(text), 'has no valid port');
  if (path.replaceAll('/', '') === '') throw refuse(JSON.stringify(text), 'names no repository');
  return withHref({ scheme, host, port, path, username, password });
}

/** Scheme, host and port: what a credential is bound to. */
export function originOf(url: GitUrl): string {
  const host = url.host.includes(':') ? `[${url.host}]` : url.host;
  return `${url.scheme}://${host}${url.port === PORTS[url.scheme] ? '' : `:${url.port}`}`;
}

/**
 * Where a redirect or a submodule leads to, seen from a repository.
 * @param target absolute, or relative as Git reads it in `.gitmodules` (`../other.git`)
 */
export function resolveGitUrl(base: GitUrl, target: string): GitUrl {
  if (!/^\.{0,2}\//.test(target)) return parseGitUrl(target);
  if (target.startsWith('/')) return parseGitUrl(`${userPart(base)}${target}`);
  const parts = base.path.replace(/\/+$/, '').split('/').slice(1);
  for (const part of target.split('/')) {
    if (part === '..') {
      if (parts.length === 0) throw refuse(JSON.stringify(target), 'leads out of its server');
      parts.pop();
    } else if (part !== '.' && part !== '') parts.push(part);
  }
  return parseGitUrl(`${userPart(base)}/${parts.join('/')}`);
}

function userPart(url: GitUrl): string {
  return url.scheme === 'ssh' && url.username !== ''
    ? originOf(url).replace('://', `://${url.username}@`)
    : originOf(url);
}

function withHref(url: Omit<GitUrl, 'href'>): GitUrl {
  const whole = { ...url, href: '' };
  return { ...whole, href: `${userPart(whole)}${url.path}` };
}

function readUserinfo(userinfo: string): { username: string; password: string } {
  const colon = userinfo.indexOf(':');
  const [name, word] = colon < 0 ? [userinfo, ''] : [userinfo.slice(0, colon), userinfo.slice(colon + 1)];
  try {
    const username = decodeURIComponent(name);
    if (!/^[\w.@+~$-]*$/.test(username)) throw refuse('URL', 'has a user with unusual characters');
    return { username, password: decodeURIComponent(word) };
  } catch (error) {
    if (error instanceof GitError) throw error;
    throw refuse('URL', 'has a user or password that is not percent-encoded well');
  }
}

function refuse(what: string, why: string): GitError {
  return new GitError('url', `${what} ${why}`);
}
