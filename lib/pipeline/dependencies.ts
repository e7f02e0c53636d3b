import { evaluateReady } from '../apply/health/expressions.ts';
import type { Condition } from '../core/conditions.ts';
import { getCondition } from '../core/conditions.ts';
import { ReconcileError } from '../core/errors.ts';
import { describe } from '../core/object.ts';
import type { Kustomization } from '../toolkit/kustomization.ts';
import type { LoadedSource } from './load-source.ts';
import type { ToolkitRef } from './object-key.ts';
import { objectKey } from './object-key.ts';
import type { Run } from './run.ts';
import { waitFor } from './waiting.ts';

/**
 * Throws unless every Kustomization in `dependsOn` is ready: it exists, is Ready for its present generation and, when it has the
 * same source, has applied the same revision; a `readyExpr` takes the place of these.
 * @throws ReconcileError `DependencyNotReady` (wait)
 */
export async function checkDependencies(
  run: Run,
  object: Kustomization,
  source: LoadedSource,
): Promise<void> {
  const own = object.metadata.namespace ?? '';
  const { config } = run.cluster;
  for (const dependency of object.spec.dependsOn ?? []) {
    const ref = {
      group: run.ref.group,
      kind: 'Kustomization',
      namespace: dependency.namespace ?? own,
      name: dependency.name,
    };
    if (config.noCrossNamespaceRefs && ref.namespace !== own) {
      throw new ReconcileError(
        'AccessDenied',
        `dependsOn of ${describe(run.ref)} names ${describe(ref)}, but cluster ${config.name} allows no references to other namespaces`,
        { outcome: 'stall' },
      );
    }
    const look = async () => {
      const found = await run.client.get<Kustomization>({ ...ref, version: 'v1' });
      if (!found) return 'does not exist';
      const problem = notReady(object, found, dependency.readyExpr, source);
      return problem !== undefined && closesCircle(run.ref, ref, found)
        ? `waits for ${describe(run.ref)} in turn: dependsOn goes round in a circle, so neither is ever applied`
        : problem;
    };
    if ((await look()) === undefined) continue;
    // Noted first and looked at again: a dependency that becomes ready in between still releases us.
    await waitFor(run.ctx, run.job.cluster, run.ref, ref);
    const problem = await look();
    if (problem !== undefined) {
      throw new ReconcileError('DependencyNotReady', `dependency ${describe(ref)} ${problem}`, {
        outcome: 'wait',
      });
    }
  }
}

/** Whether a dependency waits for us, itself or through others: each says in its condition what it waits for. */
function closesCircle(self: ToolkitRef, ref: ToolkitRef, dependency: Kustomization): boolean {
  if (objectKey(self) === objectKey(ref)) return true;
  const ready = getCondition(dependency.status?.conditions as Condition[] | undefined, 'Ready');
  return (
    ready?.status === 'False' &&
    ready.reason === 'DependencyNotReady' &&
    ready.message.includes(`dependency ${describe(self)} `)
  );
}

function notReady(
  self: Kustomization,
  dep: Kustomization,
  readyExpr: string | undefined,
  source: LoadedSource,
): string | undefined {
  if (readyExpr !== undefined) {
    return evaluateReady(readyExpr, self, dep) ? undefined : `is not ready by readyExpr: ${readyExpr}`;
  }
  const status = dep.status;
  const ready = getCondition(status?.conditions as Condition[] | undefined, 'Ready');
  if (ready?.status !== 'True') return `is not ready${ready ? `: ${ready.message}` : ''}`;
  if (status?.observedGeneration !== dep.metadata.generation) return 'is not ready for its newest generation';
  if (sameSource(self, dep) && status?.lastAppliedRevision !== source.artifact.revision) {
    return `has not applied revision ${source.artifact.revision} yet`;
  }
  return undefined;
}

function sameSource(a: Kustomization, b: Kustomization): boolean {
  const [first, second] = [a, b].map(({ spec, metadata }) => {
    const { kind, name, namespace } = spec.sourceRef;
    return `${kind}/${namespace ?? metadata.namespace}/${name}`;
  });
  return first === second;
}
