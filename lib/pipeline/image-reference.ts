import { ReconcileError } from '../core/errors.ts';
import type { KubernetesObject } from '../core/object.ts';
import { describe } from '../core/object.ts';
import type { ImagePolicy } from '../toolkit/image-policy.ts';
import type { AccessFrom, ImageRepository } from '../toolkit/image-repository.ts';
import { parseToolkitObject } from '../toolkit/parse.ts';
import { IMAGE_REPOSITORY } from './image-results.ts';
import type { ToolkitRef } from './object-key.ts';
import type { Run } from './run.ts';
import { waitFor } from './waiting.ts';

/**
 * The ImageRepository of a policy, if the policy may use it.
 * @throws ReconcileError `AccessDenied` for one of another namespace that does not allow it; `DependencyNotReady` when it does not exist,
 *   or is not valid itself
 */
export async function loadImageRepository(
  run: Run,
  policy: ImagePolicy,
  ref: ToolkitRef,
): Promise<ImageRepository> {
  const isForeign = ref.namespace !== (policy.metadata.namespace ?? '');
  if (isForeign && run.cluster.config.noCrossNamespaceRefs)
    throw denied(`cannot access '${describe(ref)}', cross-namespace references have been blocked`);
  const full = { ...ref, version: IMAGE_REPOSITORY.version };
  let live = await run.client.get<KubernetesObject>(full);
  if (!live) {
    // Noted first and looked at again: one that comes in between still releases us.
    await waitFor(run.ctx, run.job.cluster, run.ref, ref);
    live = await run.client.get<KubernetesObject>(full);
  }
  if (!live) throw notReady(`referenced ImageRepository does not exist: ${describe(ref)}`);
  const parsed = parseToolkitObject(live);
  if (!parsed.ok) throw notReady(parsed.errors.map(({ message }) => message).join('; '));
  const repository = parsed.object as ImageRepository;
  if (isForeign) await checkAccess(run, policy, ref, repository.spec.accessFrom);
  return repository;
}

/** Whether the labels of the policy's namespace are among those that the repository opens itself to. */
async function checkAccess(
  run: Run,
  { metadata }: ImagePolicy,
  ref: ToolkitRef,
  accessFrom: AccessFrom | undefined,
): Promise<void> {
  const name = metadata.namespace ?? '';
  if (accessFrom === undefined)
    throw denied(
      `access denied: '${describe(ref)}' can't be accessed due to missing ACL labels on 'accessFrom'`,
    );
  const namespace = await run.client.getMetadata({
    group: '',
    version: 'v1',
    kind: 'Namespace',
    namespace: '',
    name,
  });
  const labels = namespace?.metadata.labels ?? {};
  const isAllowed = accessFrom.namespaceSelectors.some(({ matchLabels = {} }) =>
    Object.entries(matchLabels).every(([key, value]) => Object.hasOwn(labels, key) && labels[key] === value),
  );
  if (!isAllowed)
    throw denied(
      `access denied: '${describe(ref)}' can't be accessed due to ACL labels mismatch on namespace '${name}'`,
    );
}

function denied(message: string): ReconcileError {
  // Tried again: labels of namespaces and the repository may change without the policy hearing of it.
  return new ReconcileError('AccessDenied', `failed to get the referred ImageRepository: ${message}`);
}

function notReady(message: string): ReconcileError {
  return new ReconcileError('DependencyNotReady', `failed to get the referred ImageRepository: ${message}`);
}
