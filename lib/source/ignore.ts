import { compileGlob } from './glob.ts';

/** Files with this name hold patterns of what to leave out of an artifact. */
export const IGNORE_FILE = '.sourceignore';

/** Left out unless a pattern takes them in again. https://fluxcd.io/flux/components/source/gitrepositories/#excluding-files */
const VERSION_CONTROL = ['.git/', '.gitignore', '.gitmodules', '.gitattributes'];

/** Left out as long as the repository and the object bring no patterns of their own. */
const DEFAULTS = [
  ...['jpg', 'jpeg', 'gif', 'png', 'wmv', 'flv', 'tar.gz', 'zip'].map((extension) => `*.${extension}`),
  ...[
    '.github/',
    '.circleci/',
    '.travis.yml',
    '.gitlab-ci.yml',
    'appveyor.yml',
    '.drone.yml',
    'cloudbuild.yaml',
  ],
  ...['codeship-services.yml', 'codeship-steps.yml'],
  ...['**/.goreleaser.yml', '**/.sops.yaml', '**/.flux.yaml'],
];

/** A `.sourceignore` file. */
export interface IgnoreFile {
  /** The directory it lies in; empty for the root. */
  directory: string;
  text: string;
}

type Part = ((name: string) => boolean) | 'any-depth' | 'empty' | 'never';

/** One pattern, ready to be tried. */
interface Rule {
  /** Where it holds: path parts of the directory of its file. */
  domain: readonly string[];
  parts: readonly Part[];
  includes: boolean;
  directoriesOnly: boolean;
  anchored: boolean;
}

/**
 * Decides as the Toolkit does which files stay out of an artifact. The patterns are written like `.gitignore`, with these
 * differences, which users rely on: each file is judged by its own path, so `!` also takes in files below a directory that is
 * left out; any pattern of the repository or the object replaces the defaults, apart from those for version control.
 * The last pattern that matches wins: first the files from the root down, then `spec.ignore`.
 */
export function createIgnore(
  files: readonly IgnoreFile[],
  specIgnore: string | undefined,
): (path: string) => boolean {
  const nearestLast = files.toSorted((a, b) => (a.directory < b.directory ? -1 : 1));
  const own = [
    ...nearestLast.flatMap(({ directory, text }) =>
      parseRules(text, directory === '' ? [] : directory.split('/')),
    ),
    ...parseRules(specIgnore ?? '', []),
  ];
  const base = [VERSION_CONTROL, own.length === 0 ? DEFAULTS : []]
    .flat()
    .map((pattern) => parseRule(pattern, []));
  const lastFirst = [...base, ...own].reverse();
  return (path) => {
    const parts = path.split('/');
    const rule = lastFirst.find((candidate) => matches(candidate, parts));
    return rule !== undefined && !rule.includes;
  };
}

function parseRules(text: string, domain: readonly string[]): Rule[] {
  return text
    .split('\n')
    .map((line) => line.replace(/\r$/, ''))
    .filter((line) => !line.startsWith('#') && line.trim() !== '')
    .map((line) => parseRule(line, domain));
}

function parseRule(line: string, domain: readonly string[]): Rule {
  const includes = line.startsWith('!');
  let pattern = includes ? line.slice(1) : line;
  if (!pattern.endsWith('\\ ')) pattern = pattern.replace(/ +$/, '');
  const directoriesOnly = pattern.endsWith('/');
  if (directoriesOnly) pattern = pattern.slice(0, -1);
  const anchored = pattern.includes('/');
  const parts = pattern.split('/').map((part) => parsePart(part, anchored));
  return { domain, parts, includes, directoriesOnly, anchored };
}

function parsePart(part: string, anchored: boolean): Part {
  if (part === '') return 'empty';
  if (anchored && part === '**') return 'any-depth';
  if (anchored && part.includes('**')) return 'never';
  return compileGlob(part) ?? 'never';
}

function matches(rule: Rule, path: readonly string[]): boolean {
  if (path.length <= rule.domain.length || rule.domain.some((part, at) => path[at] !== part)) return false;
  const rest = path.slice(rule.domain.length);
  return rule.anchored ? matchesPath(rule, rest) : matchesName(rule, rest);
}

/** A pattern without a slash holds for any part of the path: the file itself or a directory above it. */
function matchesName(rule: Rule, path: readonly string[]): boolean {
  const [name] = rule.parts;
  if (typeof name !== 'function') return false;
  return path.some((part, at) => name(part) && !(rule.directoriesOnly && at === path.length - 1));
}

/** A pattern with a slash holds for a path that begins with it. */
function matchesPath(rule: Rule, path: readonly string[]): boolean {
  let at = 0;
  let matched = false;
  let anyDepth = false;
  for (const [index, part] of rule.parts.entries()) {
    if (part === 'empty') anyDepth = false;
    else if (part === 'any-depth') {
      if (index === rule.parts.length - 1) break;
      anyDepth = true;
    } else if (part === 'never' || at >= path.length) return false;
    else if (anyDepth) {
      anyDepth = false;
      const found = path.findIndex((name, place) => place >= at && part(name));
      if (found < 0) return false;
      matched = true;
      at = found + 1;
    } else {
      if (!part(path[at] as string)) return false;
      matched = true;
      at += 1;
    }
  }
  return matched && !(rule.directoriesOnly && at === path.length);
}
