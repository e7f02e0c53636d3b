import { refOf } from '../core/object.ts';
import { objectionsOf, type PolicyState } from '../image/objections.ts';
import { policyKey, settersOf } from '../image/setters.ts';
import { type Update, updateFiles } from '../image/update-files.ts';
import type { KubeClient } from '../kube/client.ts';
import type { TreeFile } from '../tar.ts';
import type { ImageUpdateAutomation } from '../toolkit/image-update-automation.ts';
import { chosenPolicies } from './image-policies.ts';
import { pathOfUpdate } from './image-target.ts';

/** What a run of an automation would change in some files. */
export interface ImagePreview {
  /** `namespace/name` of the automation. */
  automation: string;
  update: Update;
}

/**
 * Works out what a run would change, in files that are given. It does not know what somebody has taken back: a run remembers that, and leaves
 * it alone.
 * @param files the tree of the repository
 * @throws ReconcileError when a run would fail
 */
export async function previewImages(
  client: KubeClient,
  automation: ImageUpdateAutomation,
  files: readonly TreeFile[],
): Promise<ImagePreview> {
  const { namespace = '', name } = automation.metadata;
  const policies = await chosenPolicies(client, automation);
  const images = policies.map(({ object, image }) => ({ namespace, name: object.metadata.name, image }));
  const states = new Map(
    policies.map(({ object, image }): [string, PolicyState] => [
      policyKey({ namespace, name: object.metadata.name }),
      { image, selection: object.spec, hasHeld: () => false },
    ]),
  );
  const ref = refOf(automation as unknown as Parameters<typeof refOf>[0]);
  const below = pathOfUpdate(ref, automation.spec.update.path);
  const wanted = files.filter(({ path }) => below === '' || path === below || path.startsWith(`${below}/`));
  return {
    automation: `${namespace}/${name}`,
    update: updateFiles(wanted, settersOf(images), objectionsOf(states)),
  };
}
