import { gvkOf, identityOf } from '../core/object.ts';
import type { PartialObject } from '../kube/client.ts';
import { KubeError } from '../kube/errors.ts';
import { ownerSelector } from './ownership.ts';
import { type Candidate, each, type Run } from './run.ts';

/** From so many objects of a kind in a namespace on, one LIST is cheaper than a GET each. */
const WORTH_A_LIST = 4;

/**
 * The metadata of objects that are expected to exist: one metadata LIST by the owner's labels per kind and namespace, or a GET
 * each where they are few or the account may not list. What a list does not show (its labels were removed, it is gone)
 * is absent from the answer and must be looked at by itself.
 */
export async function liveMetadata(
  run: Run,
  candidates: readonly Candidate[],
): Promise<Map<string, PartialObject>> {
  const groups = Map.groupBy(
    candidates,
    ({ ref }) => `${ref.group}/${ref.version}/${ref.kind}/${ref.namespace}`,
  );
  const found = new Map<string, PartialObject>();
  const settled = await each(run.options, [...groups.values()], async (group) => {
    for (const object of await lookUp(run, group)) {
      const { namespace = '', name } = object.metadata;
      found.set(identityOf({ ...gvkOf(object), namespace, name }), object);
    }
  });
  for (const outcome of settled) if ('error' in outcome) throw outcome.error;
  return found;
}

async function lookUp(run: Run, group: readonly Candidate[]): Promise<PartialObject[]> {
  const [first] = group;
  if (!first) return [];
  if (group.length >= WORTH_A_LIST) {
    try {
      const { items } = await run.client.listMetadata(first.ref, {
        namespace: first.ref.namespace,
        labelSelector: ownerSelector(run.options.owner),
        signal: run.options.signal,
      });
      return items;
    } catch (error) {
      if (!(error instanceof KubeError && error.code === 403)) throw error;
    }
  }
  const settled = await each(run.options, group, ({ ref }) => run.client.getMetadata(ref));
  return settled.flatMap((outcome) => {
    if ('error' in outcome) throw outcome.error;
    return outcome.value ? [outcome.value] : [];
  });
}
