import type { Inventory } from '../core/inventory.ts';
import { entryOf } from '../core/inventory.ts';
import type { KubernetesObject } from '../core/object.ts';
import { refOf } from '../core/object.ts';
import { isFluxController } from '../toolkit/bootstrap.ts';
import type { Run } from './run.ts';

/**
 * A repository made by `flux bootstrap` holds Flux itself. Applying its controllers would put a second writer to work, and deleting
 * them is not ours either: they leave the render and the inventory, and stay in the cluster as they are.
 * @returns the objects that remain, and the inventory without Flux's parts
 */
export function withoutFlux(run: Run, objects: readonly KubernetesObject[], previous: Inventory) {
  const parts = objects.filter((item) => isFluxController(item));
  for (const item of parts) {
    run.changes.push({
      ref: refOf(item),
      action: 'skipped',
      detail: 'a part of Flux, whose work Slipway does',
    });
  }
  if (parts.length > 0) run.log.info({ objects: parts.length }, 'parts of Flux in the source are left alone');
  const ids = new Set(parts.map((item) => entryOf(item).id));
  return {
    objects: objects.filter((item) => !isFluxController(item)),
    previous: { entries: previous.entries.filter(({ id }) => !ids.has(id)) },
  };
}
