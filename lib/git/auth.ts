import { sha256 } from '../core/digest.ts';
import { GitError } from './errors.ts';
import type { GitUrl } from './url.ts';

/** How to prove who we are to a Git server. All fields are optional: none at all is an anonymous read. */
export interface GitAuth {
  basic?: { username: string; password: string };
  bearer?: string;
  ssh?: { identity: string; knownHosts: string; passphrase: string };
  /** Certificate authorities in PEM, besides the well-known ones. */
  ca?: string;
  client?: { certificate: string; key: string };
  /** `http://[user:password@]host:port` */
  proxy?: string;
}

/**
 * Reads the Secret of a GitRepository: `username`+`password`, or `bearerToken`, with `ca.crt` (or `caFile`), `tls.crt`, `tls.key`
 * for HTTP; `identity`, `known_hosts` and, for an encrypted key, `password` for SSH.
 * https://fluxcd.io/flux/components/source/gitrepositories/#secret-reference
 * @throws {GitError} `auth` when something is missing
 */
export function authFromSecret(url: GitUrl, data: Readonly<Record<string, Uint8Array>>): GitAuth {
  const text = (key: string) => Buffer.from(data[key] ?? []).toString('utf8');
  if (url.scheme === 'ssh') {
    const [identity, knownHosts] = [text('identity'), text('known_hosts')];
    if (identity === '') throw missing('identity', 'the private key of SSH');
    if (knownHosts === '') throw missing('known_hosts', 'the host keys of the server');
    return {
      ssh: {
        identity: withLineEnd(identity),
        knownHosts: withLineEnd(knownHosts),
        passphrase: text('password'),
      },
    };
  }
  const auth: GitAuth = {};
  const ca = text('ca.crt') || text('caFile');
  if (ca !== '') auth.ca = ca;
  if (text('tls.crt') !== '' && text('tls.key') !== '') {
    auth.client = { certificate: text('tls.crt'), key: text('tls.key') };
  }
  if (data.bearerToken !== undefined) auth.bearer = plain('bearerToken', text('bearerToken').trim());
  else auth.basic = basicOf(text('username') || url.username, text('password') || url.password);
  if (auth.basic?.username === '' && auth.basic.password === '') delete auth.basic;
  return auth;
}

/** Credentials that stand in the URL itself; none when there are none. */
export function authFromUrl(url: GitUrl): GitAuth {
  if (url.scheme === 'ssh' || (url.username === '' && url.password === '')) return {};
  return { basic: basicOf(url.username, url.password) };
}

/** User and password, checked. */
export function basicOf(username: string, password: string): { username: string; password: string } {
  if (username === '' && password !== '') throw missing('username', 'it goes with password');
  return { username: plain('username', username), password: plain('password', password) };
}

/** Adds the proxy of a Secret with `address` and, if needed, `username` and `password`. */
export function withProxy(auth: GitAuth, data: Readonly<Record<string, Uint8Array>>): GitAuth {
  const text = (key: string) =>
    Buffer.from(data[key] ?? [])
      .toString('utf8')
      .trim();
  const address = text('address');
  if (!URL.canParse(address) || !/^https?:$/.test(new URL(address).protocol)) {
    throw new GitError('auth', 'the proxy secret needs an address such as http://proxy.example.com:3128');
  }
  const proxy = new URL(address);
  if (text('username') !== '') proxy.username = encodeURIComponent(text('username'));
  if (text('password') !== '') proxy.password = encodeURIComponent(text('password'));
  return { ...auth, proxy: proxy.href };
}

/** Everything in it that must not be shown. */
export function secretsOf(auth: GitAuth): string[] {
  const basic = auth.basic;
  const pair = basic
    ? [basic.password, Buffer.from(`${basic.username}:${basic.password}`).toString('base64')]
    : [];
  const proxy = auth.proxy === undefined ? [] : [decodeURIComponent(new URL(auth.proxy).password)];
  const ssh = auth.ssh ? [auth.ssh.identity, auth.ssh.passphrase] : [];
  return [...pair, auth.bearer ?? '', ...ssh, auth.client?.key ?? '', ...proxy].filter(
    (secret) => secret !== '',
  );
}

/** Equal for equal rights: a digest that caches may be keyed by. */
export function identityOfAuth(auth: GitAuth): string {
  const { basic, bearer, ssh, client } = auth;
  return sha256(JSON.stringify([basic?.username, basic?.password, bearer, ssh?.identity, client?.key]));
}

function plain(key: string, value: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is refused here
  if (!/[\u0000-\u001f\u007f]/.test(value)) return value;
  throw new GitError('auth', `${key} of the secret holds a line break or a control character`);
}

function withLineEnd(text: string): string {
  return text.endsWith('\n') ? text : `${text}\n`;
}

function missing(key: string, why: string): GitError {
  return new GitError('auth', `the secret has no ${key} (${why})`);
}
