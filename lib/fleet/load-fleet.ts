import { dirname, resolve } from 'node:path';
import { type Document, LineCounter, parseDocument } from 'yaml';
import { messageOf } from '../core/errors.ts';
import { redact } from '../core/redact.ts';
import { formatPath, validate } from '../core/validate.ts';
import { checkCredentials } from './check-credentials.ts';
import { checkNames } from './check-names.ts';
import { type Fleet, FleetFile } from './fleet.ts';
import { locate } from './locate.ts';

/** One thing wrong in a fleet file. Lines and columns count from 1. */
export interface FleetProblem {
  line: number;
  column: number;
  /** Such as `clusters[0].name`; empty when the whole file is concerned. */
  path: string;
  message: string;
}

/** A fleet file that cannot be used. The message lists all problems, one a line, as `file:line:column: path: fault`. */
export class FleetError extends Error {
  override readonly name = 'FleetError';
  readonly problems: readonly FleetProblem[];

  constructor(path: string, problems: readonly FleetProblem[]) {
    super(
      redact(
        problems
          .map(
            ({ line, column, path: where, message }) =>
              `${path}:${line}:${column}: ${where === '' ? '' : `${where}: `}${message}`,
          )
          .join('\n'),
      ),
    );
    this.problems = problems;
  }
}

/**
 * Reads a fleet file.
 * @param text its content, YAML 1.2
 * @param options `path`: where it lies; relative paths in it start at its directory
 * @throws FleetError with everything that is wrong
 */
export function loadFleet(text: string, options: { path: string }): Fleet {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, strict: true });
  const fail = (problems: FleetProblem[]) =>
    new FleetError(
      options.path,
      problems.sort((a, b) => a.line - b.line || a.column - b.column),
    );
  if (document.errors.length > 0)
    throw fail(document.errors.map(({ pos, message }) => ({ ...at(lines, pos[0]), path: '', message })));
  const content = withoutEmptySections(
    contentOf(document, (message) => fail([{ line: 1, column: 1, path: '', message }])),
  );
  const result = validate(FleetFile, content);
  const problems = [
    ...(result.ok ? [] : result.problems),
    ...checkNames(content),
    ...checkCredentials(content),
  ];
  if (!result.ok || problems.length > 0)
    throw fail(
      problems.map((problem) => ({
        ...at(lines, locate(document, problem.path, problem.unknown)),
        path: formatPath(problem.path),
        message: problem.message,
      })),
    );
  const path = resolve(options.path);
  const baseDirectory = dirname(path);
  const { storage } = result.value;
  const directory = resolve(baseDirectory, storage.directory);
  return { ...result.value, storage: { ...storage, directory }, path, baseDirectory };
}

/** The document as a plain value; aliases may be unknown, or too many to resolve. */
function contentOf(document: Document, fail: (message: string) => FleetError): unknown {
  try {
    return document.toJS({ maxAliasCount: 100 });
  } catch (error) {
    throw fail(messageOf(error));
  }
}

/** A section whose lines are all commented out counts as left out. */
function withoutEmptySections(value: unknown): unknown {
  if (value === null || value === undefined) return {};
  if (typeof value !== 'object' || Array.isArray(value)) return value;
  const known = Object.keys(FleetFile.shape);
  return Object.fromEntries(
    Object.entries(value).filter(([key, section]) => section !== null || !known.includes(key)),
  );
}

function at(lines: LineCounter, offset: number): { line: number; column: number } {
  const { line, col } = lines.linePos(offset);
  return { line: Math.max(1, line), column: Math.max(1, col) };
}
