/**
 * Values by their key, of which those that were used longest ago are forgotten when there is no room. It is less than `lru-cache` can do, and makes no
 * room for all of its values at the start.
 */
export class RecentlyUsed<T> {
  readonly #room: number;
  readonly #roomOf: (value: T) => number;
  /** From the one that was used longest ago to the one that was used last. */
  readonly #values = new Map<string, T>();
  #taken = 0;

  /**
   * @param room for how much there is room
   * @param roomOf how much of it a value takes. Default: 1 each
   */
  constructor(room: number, roomOf: (value: T) => number = () => 1) {
    this.#room = room;
    this.#roomOf = roomOf;
  }

  /** A value, which counts as a use. */
  get(key: string): T | undefined {
    const value = this.#values.get(key);
    if (value === undefined) return undefined;
    this.#values.delete(key);
    this.#values.set(key, value);
    return value;
  }

  /** Keeps a value, unless there is no room for it at all. */
  set(key: string, value: T): void {
    this.#forget(key);
    if (this.#roomOf(value) > this.#room) return;
    this.#values.set(key, value);
    this.#taken += this.#roomOf(value);
    for (const oldest of this.#values.keys()) {
      if (this.#taken <= this.#room) return;
      this.#forget(oldest);
    }
  }

  /** How many values there are. */
  get size(): number {
    return this.#values.size;
  }

  #forget(key: string): void {
    const value = this.#values.get(key);
    if (value === undefined) return;
    this.#values.delete(key);
    this.#taken -= this.#roomOf(value);
  }
}
