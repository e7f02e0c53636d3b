/** Lower case for ASCII alone: `toLowerCase` would turn look-alikes such as the Kelvin sign into plain letters and so merge two names. */
export function asciiLowerCase(text: string): string {
  return text.replace(/[A-Z]/g, (letter) => letter.toLowerCase());
}
