/** The last place in line of every group that has messages. */
export interface LastPlace {
  group: string;
  ord: number;
}

/** Lanes that have nothing waiting are forgotten when there are more than this. */
const LANES_KEPT = 10_000;

/**
 * Gives out places in a queue's line so that lanes take turns (start-time fair queueing, https://doi.org/10.1145/248157.248171, with
 * all messages of one size). A lane is what stands before the last `/` of a group: the objects of one kind in one namespace of
 * a cluster, the branches of one repository. Somebody who has thousands of messages waiting delays another's first message by one
 * message for each lane. Within a lane places follow the order of sending, and so they do within a group.
 */
export class Turns {
  /** The place that was handed out last: whoever comes new stands behind it. */
  #now: number;
  readonly #last = new Map<string, number>();

  /** @param waiting what was in line when the queue was opened */
  constructor(waiting: readonly LastPlace[] = [], first = 0) {
    this.#now = first;
    for (const { group, ord } of waiting) this.#keep(laneOf(group), ord);
  }

  /** The place of one more message of a group: greater than any before in its lane. */
  next(group: string): number {
    const lane = laneOf(group);
    const ord = Math.max(this.#last.get(lane) ?? 0, this.#now) + 1;
    this.#keep(lane, ord);
    return ord;
  }

  /** A message was handed out. */
  served(ord: number): void {
    this.#now = Math.max(this.#now, ord);
  }

  /** How many lanes are remembered. */
  get lanes(): number {
    return this.#last.size;
  }

  #keep(lane: string, ord: number): void {
    this.#last.set(lane, Math.max(this.#last.get(lane) ?? 0, ord));
    if (this.#last.size <= LANES_KEPT) return;
    for (const [name, last] of this.#last) if (last <= this.#now) this.#last.delete(name);
  }
}

/** The lane of a group: what stands before its last `/`. */
export function laneOf(group: string): string {
  return group.slice(0, Math.max(group.lastIndexOf('/'), 0));
}
