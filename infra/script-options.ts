import process from 'node:process';
import { type ParseArgsConfig, parseArgs } from 'node:util';
import { messageOf } from '../lib/core/errors.ts';

/**
 * Reads the options of a script. With `--help`, which `config` must have as a boolean, the script ends after its help; with options that it
 * does not have, after one line that says so.
 * @param script its name under `npm run`
 */
export function scriptOptions<T extends ParseArgsConfig>(
  script: string,
  help: string,
  config: T,
): ReturnType<typeof parseArgs<T>> {
  try {
    const parsed = parseArgs(config);
    if ((parsed.values as { help?: boolean }).help !== true) return parsed;
    process.stdout.write(help);
    process.exit(0);
  } catch (error) {
    return refuse(script, messageOf(error));
  }
}

/** Ends a script over what it was given, with one line that says what is wrong. */
export function refuse(script: string, what: string): never {
  process.stderr.write(`${script}: ${what} (see --help)\n`);
  process.exit(2);
}
