import { asciiLowerCase } from './ascii.ts';

const URL_FORM = /^([a-z][a-z0-9+.-]*):\/\/(?:[^/@]*@)?(\[[0-9a-f:.]+\]|[^/:@]+)(?::([0-9]{1,5}))?(\/.*)$/i;
const SCP_FORM = /^(?:[^/:@]+@)?(\[[0-9a-f:.]+\]|[^/:@]+):(?!\/\/)(.+)$/i;

const DEFAULT_PORTS: Readonly<Record<string, string>> = {
  http: '80',
  https: '443',
  ssh: '22',
  'git+ssh': '22',
  git: '9418',
};

/**
 * The one spelling under which a repository's clone URLs are compared: `host/path`, or `host:port/path` when the port is not
 * the scheme's default. ASCII lower case, without user, trailing slash and `.git`. Nothing else is interpreted: dot segments,
 * percent signs and look-alike letters stay as they are, so that no crafted URL can be taken for another repository.
 * @param url an http(s), ssh or git URL, or `user@host:path` as `git clone` takes it
 * @returns undefined when the text is no such URL
 */
export function normaliseRepository(url: string): string | undefined {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is refused here
  if (/[\s\u0000-\u001f\u007f\\]/.test(url)) return undefined;
  const [scheme, host, port, rawPath] = split(url);
  if (host === undefined || rawPath === undefined) return undefined;
  const path = asciiLowerCase(rawPath)
    .replace(/^\/+|\/+$/g, '')
    .replace(/\.git$/, '');
  if (path === '') return undefined;
  const shownPort = port === undefined || port === DEFAULT_PORTS[scheme] ? '' : `:${Number(port)}`;
  return `${asciiLowerCase(host)}${shownPort}/${path}`;
}

function split(url: string): [scheme: string, host?: string, port?: string | undefined, path?: string] {
  const full = URL_FORM.exec(url);
  if (full) {
    const scheme = asciiLowerCase(full[1] as string);
    if (DEFAULT_PORTS[scheme] === undefined) return [scheme];
    return [scheme, full[2] as string, full[3], full[4] as string];
  }
  if (url.includes('://')) return [''];
  const short = SCP_FORM.exec(url);
  return short ? ['ssh', short[1] as string, undefined, short[2] as string] : [''];
}
