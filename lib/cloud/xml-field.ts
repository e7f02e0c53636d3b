/** The text of an element that holds nothing else and occurs once, as in answers of AWS's STS; empty when there is none. */
export function xmlField(xml: string, name: string): string {
  return new RegExp(`<${name}>\\s*([^<\\s]+)\\s*</${name}>`).exec(xml)?.[1] ?? '';
}
