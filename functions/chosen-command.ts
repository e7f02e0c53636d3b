/** Options before a command that take a value of their own. */
const WITH_VALUE = new Set(['-c', '--config', '-o', '--output']);

/** The command that arguments begin with, as far as can be told without knowing any: the first word that belongs to no option. */
export function chosenCommand(args: readonly string[]): string | undefined {
  for (let index = 0; index < args.length; index++) {
    const arg = args[index] as string;
    if (WITH_VALUE.has(arg)) index++;
    else if (!arg.startsWith('-')) return arg;
  }
  return undefined;
}
