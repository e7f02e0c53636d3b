import { Command } from 'commander';
import { describe, expect, it } from 'vitest';
import { chosenCommand } from '../../../functions/chosen-command.ts';
import { commands } from '../../../functions/commands/registry.ts';

describe('the chosen command', () => {
  const { options } = new Command()
    .option('-c, --config <file>')
    .option('-o, --output <format>')
    .option('--version');

  it.each([
    [['get', 'ks'], 'get'],
    [['-c', 'get', 'tree', '--help'], 'tree'],
    [['--config', 'x.yaml', '--output', 'json', 'get'], 'get'],
    [['--config=x.yaml', '-ojson', 'get'], 'get'],
    [['--', 'get'], 'get'],
    [['--help'], undefined],
    [['--version'], undefined],
    [['-c'], undefined],
    [[], undefined],
  ])('of %j is %s', (args, command) => expect(chosenCommand(args, options)).toBe(command));
});

describe('the registry of commands', () => {
  it('names what each of its files adds', async () => {
    for (const { names, load } of commands) {
      const program = new Command();
      (await load())(program);
      expect(program.commands.map((command) => command.name())).toEqual(names);
    }
  });
});
