import type { ApplyOptions, DeleteOptions, WriteOptions } from './client.ts';

/** The query of a server-side apply, without `?`. */
export function applyQuery(options: ApplyOptions): string {
  let query = `fieldManager=${encodeURIComponent(options.fieldManager)}&force=${options.force}`;
  if (options.dryRun) query += '&dryRun=All';
  return `${query}&fieldValidation=${options.fieldValidation ?? 'Ignore'}`;
}

/** The query of a create, update or patch, with `?`. */
export function writeQuery(options: Pick<WriteOptions, 'fieldManager' | 'dryRun'> | undefined): string {
  const manager = `?fieldManager=${encodeURIComponent(options?.fieldManager ?? 'slipway')}`;
  return options?.dryRun ? `${manager}&dryRun=All` : manager;
}

/** The `DeleteOptions` body of a deletion. */
export function deletionOf(options: DeleteOptions): Record<string, unknown> {
  const preconditions: Record<string, string> = {};
  if (options.uid !== undefined) preconditions.uid = options.uid;
  if (options.resourceVersion !== undefined) preconditions.resourceVersion = options.resourceVersion;
  return {
    kind: 'DeleteOptions',
    apiVersion: 'v1',
    propagationPolicy: options.propagation ?? 'Background',
    ...(Object.keys(preconditions).length === 0 ? {} : { preconditions }),
    ...(options.dryRun ? { dryRun: ['All'] } : {}),
  };
}
