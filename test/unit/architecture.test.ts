import { readdirSync, readFileSync } from 'node:fs';
import { basename, dirname, join, relative, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';

const root = resolve(import.meta.dirname, '../..');

/** Folders and single files under lib, from what knows everything to what knows nothing. Imports go to the right only. */
const STAGES = ['receive', 'source', 'render', 'apply', 'release', 'image', 'notify', 'web'];
const ADAPTERS = [
  'kube',
  'git',
  'oci',
  'forge',
  'cloud',
  'queue',
  'store',
  'blobs',
  'secrets',
  'toolkit',
  'fleet',
  'cel',
];
const LAYERS = ['functions', 'pipeline', 'stages', 'adapters', 'core'] as const;

/** Names that say nothing about what is inside. */
const EMPTY_NAMES = /(^|-)(utils?|helpers?|managers?|misc|common)(-|\.|$)/;

interface Source {
  path: string;
  text: string;
  imports: string[];
}

const sources: Source[] = ['lib', 'functions'].flatMap((folder) =>
  readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts'))
    .map((file) => read(join(root, folder, file))),
);

function read(path: string): Source {
  const text = readFileSync(path, 'utf8');
  const imports = [...text.matchAll(/(?:from|import)\s*\(?\s*'(\.[^']+)'/g)].map(([, target]) =>
    relative(root, resolve(dirname(path), target as string)),
  );
  return { path: relative(root, path), text, imports };
}

function partOf(path: string): string {
  const [top, second = ''] = path.split('/');
  return top === 'lib' ? second : (top ?? '');
}

function layerOf(path: string): (typeof LAYERS)[number] | undefined {
  const part = partOf(path);
  if (part === 'functions' || part === 'infra') return 'functions';
  if (part === 'pipeline' || part === 'core') return part;
  if (STAGES.includes(part)) return 'stages';
  if (ADAPTERS.includes(part) || part.endsWith('.ts')) return 'adapters';
  return undefined;
}

describe('the structure', () => {
  it('gives every folder of lib a place in the layers', () => {
    expect(sources.filter(({ path }) => layerOf(path) === undefined).map(({ path }) => path)).toEqual([]);
  });

  it('lets imports go one way: functions, pipeline, stages, adapters, core', () => {
    const wrong = sources.flatMap(({ path, imports }) =>
      imports
        .filter(
          (target) => LAYERS.indexOf(layerOf(target) ?? 'core') < LAYERS.indexOf(layerOf(path) ?? 'core'),
        )
        .map((target) => `${path} → ${target}`),
    );
    expect(wrong).toEqual([]);
  });

  it('keeps stages apart: they meet in core', () => {
    const wrong = sources.flatMap(({ path, imports }) =>
      imports
        .filter((target) => layerOf(path) === 'stages' && layerOf(target) === 'stages')
        .filter((target) => partOf(target) !== partOf(path))
        .map((target) => `${path} → ${target}`),
    );
    expect(wrong).toEqual([]);
  });

  it('reads the environment in functions alone', () => {
    const readers = sources.filter(
      ({ path, text }) => path.startsWith('lib/') && /process\.env\b/.test(text),
    );
    expect(readers.map(({ path }) => path)).toEqual([]);
  });

  it('spawns processes in exec.ts alone', () => {
    const spawners = sources.filter(({ text }) => /from 'node:child_process'/.test(text));
    expect(spawners.map(({ path }) => path)).toEqual(['lib/exec.ts']);
  });

  it('opens connections in http.ts, its connector, socket.ts, aws-connection.ts and lib/kube alone', () => {
    const opening = /import \{([^}]*)\} from '(?:node:https?|node:net|node:tls|undici)'/g;
    const harmless = /^(type .*|isIP|isIPv[46]|BlockList|rootCertificates|)$/;
    const openers = sources.filter(({ path, text }) =>
      [...text.matchAll(opening)].some(
        ([, names = '']) =>
          !path.startsWith('lib/kube/') && names.split(',').some((name) => !harmless.test(name.trim())),
      ),
    );
    const allowed = [
      'lib/cloud/aws-connection.ts',
      'lib/connector.ts',
      'lib/http.ts',
      'lib/network.ts',
      'lib/socket.ts',
    ];
    expect(openers.map(({ path }) => path).filter((path) => !allowed.includes(path))).toEqual([]);
  });

  it('has no file over 500 lines and a median under 120', () => {
    const lengths = sources.map(({ path, text }) => ({ path, lines: text.split('\n').length }));
    expect(lengths.filter(({ lines }) => lines > 500)).toEqual([]);
    const sorted = lengths.map(({ lines }) => lines).sort((a, b) => a - b);
    expect(sorted[Math.floor(sorted.length / 2)]).toBeLessThan(120);
  });

  it('names files after what is in them', () => {
    expect(sources.map(({ path }) => path).filter((path) => EMPTY_NAMES.test(basename(path)))).toEqual([]);
  });
});
