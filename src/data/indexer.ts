/** Ids from outside to indices, in the order in which they first appear. */

/** A Map holds no more than 2^24 entries, whatever the memory. */
const mostInMap = 2 ** 24 - 1;

export class Indexer {
  readonly ids: string[] = [];
  readonly #indices: Map<string, number>[] = [new Map()];
  readonly #most: number;

  /**
   * @param ids that are known, in their order, each once
   * @param most ids of one Map
   */
  constructor(ids: readonly string[] = [], most = mostInMap) {
    this.#most = most;
    for (const id of ids) this.indexOf(id);
  }

  has(id: string): boolean {
    return this.find(id) !== undefined;
  }

  /** The index of an id, a new one if it has none yet. */
  indexOf(id: string): number {
    const known = this.find(id);
    if (known !== undefined) return known;
    const index = this.ids.push(id) - 1;
    let last = this.#indices.at(-1);
    if (last === undefined || last.size >= this.#most) {
      last = new Map();
      this.#indices.push(last);
    }
    last.set(id, index);
    return index;
  }

  find(id: string): number | undefined {
    for (const indices of this.#indices) {
      const index = indices.get(id);
      if (index !== undefined) return index;
    }
    return undefined;
  }
}
