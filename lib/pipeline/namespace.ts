import type { Run } from './run.ts';

/** Whether the namespace of the object that a run is about is being deleted, and all in it with it. */
export async function isNamespaceGoing({ client, ref }: Pick<Run, 'client' | 'ref'>): Promise<boolean> {
  const namespace = { group: '', version: 'v1', kind: 'Namespace', namespace: '', name: ref.namespace };
  return (await client.getMetadata(namespace))?.metadata.deletionTimestamp !== undefined;
}
