/** Where the sealed secret of a Receiver stands: it opens for this one alone. */
export function placeOf(cluster: string, namespace: string, name: string): string {
  return `Receiver/${cluster}/${namespace}/${name}`;
}
