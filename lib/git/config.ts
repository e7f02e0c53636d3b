import type { GitAuth } from './auth.ts';
import { type GitUrl, originOf } from './url.ts';

/** Paths of the private files that a configuration points to. */
export interface ConfigFiles {
  ca?: string;
  certificate?: string;
  key?: string;
}

/** Old but harmless faults that are common in long histories; everything else that fsck calls an error stops the fetch. */
const TOLERATED = [
  'zeroPaddedFilemode',
  'badTimezone',
  'missingSpaceBeforeDate',
  'multipleAuthors',
  'missingEmail',
  'missingNameBeforeEmail',
];

/** Only warnings to Git, since they stop nobody on Linux; to us they are attempts to break out. */
const FORBIDDEN = ['hasDot', 'hasDotdot', 'hasDotgit', 'fullPathname', 'nullSha1'];

/**
 * The whole configuration of our Git processes, as the text of a Git configuration file. It holds the credentials, bound to
 * the origin of the URL, so it is only ever handed over as a private file.
 * https://git-scm.com/docs/git-config
 * @param addresses where the host may be dialled; undefined: the name is resolved by Git
 */
export function renderConfig(
  url: GitUrl,
  auth: GitAuth,
  files: ConfigFiles,
  addresses: readonly string[] | undefined,
): string {
  const http: [string, string][] = [
    // A redirect is looked at by us and followed only to the same server.
    ['followRedirects', 'false'],
    ['proxy', auth.proxy ?? ''],
    ['lowSpeedLimit', '1'],
    ['lowSpeedTime', '30'],
  ];
  if (addresses !== undefined && auth.proxy === undefined && url.scheme !== 'ssh') {
    http.push(['curloptResolve', `${url.host}:${url.port}:${addresses.join(',')}`]);
  }
  const own: [string, string][] = [];
  const header = authorization(auth);
  if (header !== undefined && url.scheme !== 'ssh') own.push(['extraHeader', `Authorization: ${header}`]);
  if (files.ca !== undefined) own.push(['sslCAInfo', files.ca]);
  if (files.certificate !== undefined) own.push(['sslCert', files.certificate]);
  if (files.key !== undefined) own.push(['sslKey', files.key]);
  return [
    section('core', [
      ['hooksPath', '/dev/null'],
      ['attributesFile', '/dev/null'],
      ['excludesFile', '/dev/null'],
      ['symlinks', 'false'],
      ['fsmonitor', 'false'],
      ['askPass', ''],
      // The repositories are caches: a lost one is fetched again, so no write waits for the disk.
      ['fsync', 'none'],
    ]),
    section('credential', [['helper', '']]),
    section('protocol', [
      ['allow', 'never'],
      ['version', '2'],
    ]),
    ...['https', 'http', 'ssh'].map((name) => section(`protocol "${name}"`, [['allow', 'always']])),
    section('transfer', [
      ['fsckObjects', 'true'],
      ['unpackLimit', '1'],
      ['bundleURI', 'false'],
    ]),
    ...['fsck', 'fetch "fsck"'].map((name) =>
      section(name, [
        ...TOLERATED.map((id): [string, string] => [id, 'ignore']),
        ...FORBIDDEN.map((id): [string, string] => [id, 'error']),
      ]),
    ),
    section('fetch', [
      ['recurseSubmodules', 'false'],
      ['writeCommitGraph', 'false'],
      ['showForcedUpdates', 'false'],
    ]),
    section('submodule', [['recurse', 'false']]),
    section('gc', [['auto', '0']]),
    section('maintenance', [['auto', 'false']]),
    section('advice', [['detachedHead', 'false']]),
    section('http', http),
    own.length === 0 ? '' : section(`http "${originOf(url)}/"`, own),
  ].join('');
}

function authorization(auth: GitAuth): string | undefined {
  if (auth.bearer !== undefined) return `Bearer ${auth.bearer}`;
  if (auth.basic === undefined) return undefined;
  return `Basic ${Buffer.from(`${auth.basic.username}:${auth.basic.password}`).toString('base64')}`;
}

function section(name: string, entries: readonly (readonly [string, string])[]): string {
  return `[${name}]\n${entries.map(([key, value]) => `\t${key} = ${quote(value)}\n`).join('')}`;
}

/** Quotes a value. Line breaks cannot occur: they are refused where credentials and URLs are read. */
function quote(value: string): string {
  return `"${value.replace(/[\\"]/g, (character) => `\\${character}`).replace(/[\r\n\0]/g, '')}"`;
}
