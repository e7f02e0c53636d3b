import { formatLine } from './log-line.ts';
import { redactFields } from './redact-fields.ts';

/** What a log line carries besides its message; ids are `run`, `cluster`, `object`, `delivery`, `push`. */
export type LogFields = Readonly<Record<string, unknown>>;

/** Writes one line: a message, with fields before it where there are any. */
export interface LogMethod {
  (message: string): void;
  (fields: LogFields, message: string): void;
}

/** A structured logger. Credentials are removed from messages and fields before they are written. */
export interface Log {
  debug: LogMethod;
  info: LogMethod;
  warn: LogMethod;
  error: LogMethod;
  /** A logger that adds these fields to every line. */
  child(fields: LogFields): Log;
}

/** How much is written: this level and those above it. */
export type LogLevel = 'debug' | 'info' | 'warn' | 'error' | 'silent';

/** Settings of {@link createLog}. */
export interface LogOptions {
  level: LogLevel;
  /** `json`: one object a line. `text`: for people, with `colour` where the terminal shows it. */
  format: 'json' | 'text';
  colour?: boolean;
  /** Takes one line with its line break. */
  write(line: string): void;
  /** Epoch in ms. */
  now(): number;
  /** Values that are secret now, removed wherever they stand; asked for with every line, so the list may grow. */
  secrets?: () => readonly string[];
}

/** Makes the root logger. */
export function createLog(options: LogOptions): Log {
  const { write, format, colour = false } = options;
  const put = format === 'json' ? write : (line: string) => write(formatLine(line, { colour }));
  return logWith({ ...options, write: put }, {});
}

/** A logger that writes nothing. */
export const silentLog: Log = {
  debug() {},
  info() {},
  warn() {},
  error() {},
  child: () => silentLog,
};

/** From the least to the most. */
const LEVELS: readonly LogLevel[] = ['debug', 'info', 'warn', 'error', 'silent'];

/** @param bound fields of every line, which are fit to be written */
function logWith(options: LogOptions, bound: LogFields): Log {
  const { now, write, secrets = () => [] } = options;
  function method(level: LogLevel): LogMethod {
    if (LEVELS.indexOf(level) < LEVELS.indexOf(options.level)) return () => {};
    return (first: string | LogFields, text?: string) => {
      const given = typeof first === 'string' ? { message: first } : { ...first, message: text ?? '' };
      const { message, ...fields } = redactFields(given, secrets());
      const time = new Date(now()).toISOString();
      // Level and time come first, and no field may take their place.
      const line = Object.assign({ level, time }, bound, fields, { level, time, message });
      write(`${JSON.stringify(line)}\n`);
    };
  }
  return {
    debug: method('debug'),
    info: method('info'),
    warn: method('warn'),
    error: method('error'),
    child: (fields) => logWith(options, { ...bound, ...redactFields(fields, secrets()) }),
  };
}
