/** The options of Node with which a script that ends in `exec node … cli.ts` starts it. @param script its text */
export function nodeOptionsOf(script: string): string[] {
  return script.match(/(?<=^exec .*)--\S+/gm) ?? [];
}
