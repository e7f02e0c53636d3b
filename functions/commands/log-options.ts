import process from 'node:process';
import { type Command, Option } from 'commander';
import { createLog, type Log, type LogLevel } from '../../lib/log.ts';

const LEVELS: readonly LogLevel[] = ['debug', 'info', 'warn', 'error'];

/** Options of commands that run for long. */
export interface LogOptions {
  log: LogLevel;
  logFormat?: 'json' | 'text';
}

/** Adds `--log` and `--log-format` to a command. */
export function withLogOptions(command: Command): Command {
  return command
    .addOption(new Option('--log <level>', 'how much is told').choices(LEVELS).default('info'))
    .addOption(
      new Option('--log-format <format>', 'how it is written; text on a terminal').choices(['json', 'text']),
    );
}

/** The log on the standard error, as the options say. */
export function openLog(options: LogOptions): Log {
  return createLog({
    level: options.log,
    format: options.logFormat ?? (process.stderr.isTTY ? 'text' : 'json'),
    colour: process.stderr.isTTY && !process.env.NO_COLOR,
    write: (line) => process.stderr.write(line),
    now: Date.now,
  });
}
