import { pino } from 'pino';
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
  const secrets = options.secrets ?? (() => []);
  const write =
    options.format === 'json'
      ? options.write
      : (line: string) => options.write(formatLine(line, { colour: options.colour === true }));
  const root = pino(
    {
      level: options.level,
      base: null,
      messageKey: 'message',
      timestamp: () => `,"time":"${new Date(options.now()).toISOString()}"`,
      formatters: { level: (label) => ({ level: label }) },
    },
    { write },
  );
  return wrap(root, secrets);
}

/** A logger that writes nothing. */
export const silentLog: Log = {
  debug() {},
  info() {},
  warn() {},
  error() {},
  child: () => silentLog,
};

function wrap(logger: pino.Logger, secrets: () => readonly string[]): Log {
  function method(level: 'debug' | 'info' | 'warn' | 'error'): LogMethod {
    return (first: string | LogFields, message?: string) => {
      if (!logger.isLevelEnabled(level)) return;
      const fields = typeof first === 'string' ? {} : first;
      const text = typeof first === 'string' ? first : (message ?? '');
      const clean = redactFields({ ...fields, message: text }, secrets());
      const { message: cleanText, ...rest } = clean;
      logger[level](rest, String(cleanText));
    };
  }
  return {
    debug: method('debug'),
    info: method('info'),
    warn: method('warn'),
    error: method('error'),
    child: (fields) => wrap(logger.child(redactFields(fields, secrets())), secrets),
  };
}
