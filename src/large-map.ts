/** A map without a limit but memory: a Map holds no more than 2^24 entries. */

const mostInMap = 2 ** 24 - 1;

/** Iterates in the order in which keys first came. */
export class LargeMap<Key extends string | number, Value> {
  readonly #maps: Map<Key, Value>[] = [new Map()];
  readonly #most: number;

  /** @param most entries of one Map */
  constructor(most = mostInMap) {
    this.#most = most;
  }

  get size(): number {
    return this.#maps.reduce((sum, { size }) => sum + size, 0);
  }

  get(key: Key): Value | undefined {
    return this.#maps.find((map) => map.has(key))?.get(key);
  }

  has(key: Key): boolean {
    return this.#maps.some((map) => map.has(key));
  }

  set(key: Key, value: Value): void {
    const holder = this.#maps.find((map) => map.has(key));
    if (holder !== undefined) {
      holder.set(key, value);
      return;
    }
    const last = this.#maps.at(-1);
    if (last !== undefined && last.size < this.#most) last.set(key, value);
    else this.#maps.push(new Map([[key, value]]));
  }

  *[Symbol.iterator](): Generator<[Key, Value], void> {
    for (const map of this.#maps) yield* map;
  }
}
