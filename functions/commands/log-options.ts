import process from 'node:process';
import type { Command } from 'commander';
import { createLog, type Log, type LogLevel } from '../../lib/log.ts';

/** Options of commands that run for long. */
export interface LogOptions {
  log: LogLevel;
  logFormat?: 'json' | 'text';
}

/** Adds `--log` and `--log-format` to a command. */
export function withLogOptions(command: Command): Command {
  return command
    .option('--log <level>', 'debug, info, warn or error', 'info')
    .option('--log-format <format>', 'json or text; text on a terminal');
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
