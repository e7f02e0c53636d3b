import type { Option } from 'commander';

/**
 * The command that arguments begin with, as far as can be told without knowing any: the first word that belongs to no option.
 * @param options that may stand before a command
 */
export function chosenCommand(args: readonly string[], options: readonly Option[]): string | undefined {
  const takingValue = new Set(
    options.filter(({ required }) => required).flatMap(({ short, long }) => [short, long]),
  );
  for (let index = 0; index < args.length; index++) {
    const arg = args[index] as string;
    if (takingValue.has(arg)) index++;
    else if (!arg.startsWith('-')) return arg;
  }
  return undefined;
}
