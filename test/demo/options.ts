import { parseArgs } from 'node:util';

export interface DemoOptions {
  /** Leave everything running at the end, until Ctrl-C. */
  keep: boolean;
  /** Print the measured times as one JSON object on standard output; everything else goes to standard error. */
  json: boolean;
  help: boolean;
}

export const usage = `Usage: npm run demo [-- options]

Merges a pull request and shows it being deployed by Slipway to two Kubernetes API servers on this machine, with the
result on the commit; then an image is pushed and deployed the same way; then drift, a bad commit, and a revert. Everything
is real, runs on free ports of 127.0.0.1, and is gone afterwards. The first run builds the servers (Go and a C compiler needed) and keeps them in ~/.cache/slipway.

Options:
  --keep   leave everything running at the end, with URLs and kubeconfigs to look around, until Ctrl-C
  --json   print the measured times as JSON on standard output, and the story on standard error
  --help   show this
`;

/** Reads the command line; throws on an unknown option. */
export function readOptions(args: string[]): DemoOptions {
  const flag = { type: 'boolean', default: false } as const;
  return parseArgs({ args, options: { keep: flag, json: flag, help: flag } }).values;
}
