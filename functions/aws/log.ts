import process from 'node:process';
import { createLog, type Log } from '../../lib/log.ts';
import type { Environment } from './environment.ts';

/** Log lines as JSON on the standard error, from where Lambda takes them to CloudWatch. */
export function logOf({ logLevel }: Pick<Environment, 'logLevel'>): Log {
  const write = (line: string) => void process.stderr.write(line);
  return createLog({ level: logLevel, format: 'json', write, now: Date.now });
}
