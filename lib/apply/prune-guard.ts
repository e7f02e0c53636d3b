import { ReconcileError } from '../core/errors.ts';
import { difference, type Inventory, parseEntry } from '../core/inventory.ts';
import { describe } from '../core/object.ts';

/** From so many objects on, losing more than half of them in one run must be allowed. */
const GUARDED_SIZE = 10;

/** So many objects are named in the message. */
const NAMED = 10;

/** What is checked before anything is pruned. */
export interface PruneGuard {
  /** What was applied until now; with its children's inventories where child objects prune too. */
  previous: Inventory;
  /** What this render holds. */
  next: Inventory;
  /** The digest of this render: an allowance holds for it alone. */
  renderedDigest: string;
  /** The digest that somebody allowed. */
  allowance?: string | undefined;
  /** Whose inventory it is, as `Kustomization/flux-system/apps`. */
  owner: string;
}

/**
 * Refuses a prune that looks like an accident: a render that is suddenly empty, or more than half of an inventory of ten or more.
 * @throws ReconcileError `PruneFailed` (stall) that says how to allow it
 */
export function checkPruneGuard(guard: PruneGuard): void {
  const { previous, next, renderedDigest, allowance, owner } = guard;
  if (allowance === renderedDigest || previous.entries.length === 0) return;
  const gone = difference(previous, next);
  if (gone.length === 0) return;
  const total = previous.entries.length;
  const empty = next.entries.length === 0;
  if (!empty && (total < GUARDED_SIZE || gone.length * 2 <= total)) return;
  const named = gone.slice(0, NAMED).map((entry) => {
    const ref = parseEntry(entry);
    return ref ? describe(ref) : entry.id;
  });
  const more = gone.length > NAMED ? ` and ${gone.length - NAMED} more` : '';
  const why = empty
    ? 'the render is empty'
    : `more than half of its ${total} objects are gone from the render`;
  throw new ReconcileError(
    'PruneFailed',
    `${owner}: ${why}; nothing was deleted. It would delete ${named.join(', ')}${more}. If that is meant, run ` +
      `"slipway approve ${owner} ${renderedDigest}" or annotate it with slipway.dev/allow-prune: ${renderedDigest}.`,
    { outcome: 'stall' },
  );
}
