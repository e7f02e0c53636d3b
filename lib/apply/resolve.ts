import { ReconcileError } from '../core/errors.ts';
import type { KubernetesObject, ObjectRef } from '../core/object.ts';
import { describe, formatApiVersion, gvkOf, identityOf, refOf } from '../core/object.ts';
import type { ApiResource } from '../kube/client.ts';
import { desiredDigest } from './drift.ts';
import type { Failure } from './failures.ts';
import { isMap, valueAt } from './pointer.ts';
import { type Candidate, pause, type Run } from './run.ts';

/** How long the server may take to serve a kind whose CRD is established, in ms. */
const DISCOVERY_LAG = 10_000;

/**
 * Finds out what the server says of each object's kind, and gives cluster-scoped objects no namespace.
 * @param defined the kinds (`group/kind`) whose CRDs were applied in this run: they may take a moment to be served
 */
export async function resolveScopes(
  run: Run,
  objects: readonly KubernetesObject[],
  defined: ReadonlySet<string>,
): Promise<{ candidates: Candidate[]; failures: Failure[] }> {
  const kinds = new Map<string, Promise<ApiResource | undefined>>();
  const candidates: Candidate[] = [];
  const failures: Failure[] = [];
  for (const object of objects) {
    const key = `${object.apiVersion}/${object.kind}`;
    let resource = kinds.get(key);
    if (!resource) {
      resource = findKind(run, object, defined);
      kinds.set(key, resource);
    }
    const found = await resource;
    const problem = problemOf(object, found);
    if (problem) failures.push({ object, error: problem });
    else candidates.push(candidateOf(run, found?.namespaced ? object : withoutNamespace(object)));
  }
  return { candidates, failures };
}

/** The candidate for an object whose scope is right. */
export function candidateOf(run: Run, object: KubernetesObject): Candidate {
  const ref: ObjectRef = refOf(object);
  const { fieldManager, ignore } = run.options;
  return { object, ref, identity: identityOf(ref), digest: desiredDigest(object, fieldManager, ignore) };
}

async function findKind(
  run: Run,
  object: KubernetesObject,
  defined: ReadonlySet<string>,
): Promise<ApiResource | undefined> {
  const gvk = gvkOf(object);
  const deadline = run.options.now() + DISCOVERY_LAG;
  for (let delay = 50; ; delay = Math.min(delay * 2, 1_000)) {
    const resource = await run.client.resource(gvk);
    if (resource || !defined.has(`${gvk.group}/${gvk.kind}`) || run.options.now() >= deadline)
      return resource;
    await pause(run.options, delay);
    run.client.invalidate();
  }
}

function problemOf(object: KubernetesObject, resource: ApiResource | undefined): ReconcileError | undefined {
  const name = describe(refOf(object));
  if (!resource) {
    const gvk = gvkOf(object);
    return new ReconcileError(
      'ReconciliationFailed',
      `${name}: no matches for kind "${gvk.kind}" in version "${formatApiVersion(gvk)}"; ` +
        'is its CustomResourceDefinition installed, and applied before it (dependsOn)?',
    );
  }
  if (!resource.namespaced || object.metadata.namespace) return undefined;
  return new ReconcileError(
    'ReconciliationFailed',
    `${name} namespace not specified; set metadata.namespace, or spec.targetNamespace`,
  );
}

function withoutNamespace(object: KubernetesObject): KubernetesObject {
  if (object.metadata.namespace === undefined) return object;
  const { namespace: _namespace, ...metadata } = object.metadata;
  return { ...object, metadata: metadata as KubernetesObject['metadata'] };
}

/** The kinds that a set of objects defines, as `group/kind`. */
export function definedKinds(objects: readonly KubernetesObject[]): Set<string> {
  const kinds = new Set<string>();
  for (const object of objects) {
    if (object.kind !== 'CustomResourceDefinition' || !isMap(object.spec)) continue;
    kinds.add(`${String(object.spec.group)}/${String(valueAt(object.spec, ['names', 'kind']))}`);
  }
  return kinds;
}
