import { DOCKER_HUB, formatImageName, type ImageName } from '../core/image-name.ts';
import { RegistryError } from './registry-error.ts';

/** What proves who we are to a registry. */
export type RegistryCredential =
  | { type: 'basic'; username: string; password: string }
  /** A refresh token, which is changed for an access token at the registry's token server. */
  | { type: 'identity'; token: string }
  /** An access token. */
  | { type: 'bearer'; token: string };

/** A credential and the hosts and paths it is for. */
export interface CredentialEntry {
  /** Host, with `*` for parts of its name, port and path, such as `*.example.com:5000/team`. */
  pattern: string;
  credential: RegistryCredential;
}

/** Secrets larger than this are refused by Kubernetes itself. */
const MAX_BYTES = 1024 * 1024;

/** The keys of a Secret that hold Docker's configuration, and whether its entries stand below `auths`. */
const KEYS = [
  ['.dockerconfigjson', true],
  ['.dockercfg', false],
] as const;

/**
 * Reads a Secret of type `kubernetes.io/dockerconfigjson` or `kubernetes.io/dockercfg`.
 * @param name what to call the Secret in errors
 * @throws RegistryError `auth` naming the Secret and the entry, never its values
 * @see https://kubernetes.io/docs/concepts/configuration/secret/#docker-config-secrets
 */
export function parseDockerConfig(
  data: Readonly<Record<string, Uint8Array>>,
  name: string,
): CredentialEntry[] {
  const found = KEYS.find(([key]) => data[key] !== undefined);
  if (!found)
    throw invalid(
      `${name} has no key .dockerconfigjson; make it with "kubectl create secret docker-registry"`,
    );
  const [key, nested] = found;
  const bytes = data[key] ?? new Uint8Array();
  const text = Buffer.from(bytes).toString('utf8');
  const parsed = bytes.byteLength > MAX_BYTES ? undefined : parseObject(text);
  const auths = nested && parsed ? (parsed.auths ?? {}) : parsed;
  if (!isObject(auths)) throw invalid(`${key} of ${name} is not a Docker configuration in JSON`);
  return Object.entries(auths).flatMap(([host, entry]) => {
    const pattern = patternOf(host);
    if (pattern === undefined) throw invalid(`${key} of ${name} has an entry for no valid host`);
    const credential = credentialOf(entry, () => `${key} of ${name}, entry ${pattern}`);
    return credential === undefined ? [] : [{ pattern, credential }];
  });
}

/**
 * The credential for an image: of all entries that match, the one that says most of where it belongs.
 * @see https://kubernetes.io/docs/concepts/containers/images/#config-json
 */
export function credentialFor(
  entries: readonly CredentialEntry[],
  image: ImageName,
): RegistryCredential | undefined {
  const target = formatImageName(image);
  const matching = entries.filter(({ pattern }) => matches(pattern, target));
  return matching.toSorted((a, b) => specificity(b.pattern) - specificity(a.pattern))[0]?.credential;
}

/** The credential for a host that is no registry itself, such as a token server. */
export function credentialForHost(
  entries: readonly CredentialEntry[],
  host: string,
): RegistryCredential | undefined {
  return entries.find(({ pattern }) => !pattern.includes('*') && pattern === host.toLowerCase())?.credential;
}

/** `https://index.docker.io/v1/` and its like become `index.docker.io`. */
function patternOf(key: string): string | undefined {
  const match = /^(?:https?:\/\/)?([^/?#@\s]+)(\/[^?#\s]*)?$/i.exec(key.trim());
  if (!match) return undefined;
  const host = (match[1] ?? '').toLowerCase();
  const path = (match[2] ?? '').replace(/^\/v[12](?=\/|$)/, '').replace(/\/+$/, '');
  const isHub = host === 'docker.io' || host === 'registry-1.docker.io';
  return `${isHub ? DOCKER_HUB : host}${path}`;
}

function matches(pattern: string, target: string): boolean {
  const [host, path] = split(pattern);
  const [targetHost, targetPath] = split(target);
  if (path !== '' && targetPath !== path && !targetPath.startsWith(`${path}/`)) return false;
  const [name = '', port] = splitPort(host);
  const [targetName = '', targetPort] = splitPort(targetHost);
  if (port !== targetPort) return false;
  const parts = name.split('.');
  const targetParts = targetName.split('.');
  return parts.length === targetParts.length && parts.every((part, i) => glob(part, targetParts[i] ?? ''));
}

/** `*` stands for any number of characters within one part of a host name. */
function glob(pattern: string, text: string): boolean {
  const [first = '', ...rest] = pattern.split('*');
  if (rest.length === 0) return pattern === text;
  if (!text.startsWith(first)) return false;
  let position = first.length;
  const last = rest.pop() ?? '';
  for (const piece of rest) {
    const at = text.indexOf(piece, position);
    if (at < 0) return false;
    position = at + piece.length;
  }
  return text.length - last.length >= position && text.endsWith(last);
}

function specificity(pattern: string): number {
  const [host, path] = split(pattern);
  return path.length * 1_000 + (host.includes('*') ? 0 : 500) + host.length;
}

function split(text: string): [string, string] {
  const slash = text.indexOf('/');
  return slash < 0 ? [text, ''] : [text.slice(0, slash), text.slice(slash)];
}

function splitPort(host: string): [string, string | undefined] {
  const match = /^(.*):(\d+)$/.exec(host);
  return match ? [match[1] ?? '', match[2]] : [host, undefined];
}

function credentialOf(entry: unknown, where: () => string): RegistryCredential | undefined {
  if (!isObject(entry)) throw invalid(`${where()}: is no object`);
  const text = (key: string): string => {
    const value = entry[key] ?? '';
    if (typeof value !== 'string') throw invalid(`${where()}: ${key} is no text`);
    return value;
  };
  // Passwords may hold anything: that of Google's registries is a whole file. Tokens go into headers as they are.
  const token = (key: string): string => {
    const value = text(key);
    if (/^[\x21-\x7e]*$/.test(value)) return value;
    throw invalid(`${where()}: ${key} holds a space, a line break or another character that no token has`);
  };
  if (token('registrytoken') !== '') return { type: 'bearer', token: token('registrytoken') };
  if (token('identitytoken') !== '') return { type: 'identity', token: token('identitytoken') };
  const pair = text('auth') === '' ? undefined : decodePair(text('auth'));
  if (text('auth') !== '' && !pair) throw invalid(`${where()}: auth is not the base64 of user:password`);
  const username = text('username') || (pair?.[0] ?? '');
  const password = text('password') || (pair?.[1] ?? '');
  if (username === '' && password === '') return undefined;
  // What `az acr login --expose-token` writes: the user says that the password is a token.
  if (username === '<token>') return { type: 'identity', token: password };
  return { type: 'basic', username, password };
}

function decodePair(auth: string): [string, string] | undefined {
  const text = Buffer.from(auth, 'base64').toString('utf8').replace(/\0+$/, '');
  const colon = text.indexOf(':');
  if (colon < 0) return undefined;
  return [text.slice(0, colon), text.slice(colon + 1)];
}

function parseObject(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function invalid(message: string): RegistryError {
  return new RegistryError('auth', message);
}
