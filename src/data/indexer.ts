/** Ids from outside to indices, in the order in which they first appear. */
export class Indexer {
  readonly ids: string[] = [];
  readonly #indices = new Map<string, number>();

  has(id: string): boolean {
    return this.#indices.has(id);
  }

  /** The index of an id, a new one if it has none yet. */
  indexOf(id: string): number {
    const known = this.#indices.get(id);
    if (known !== undefined) return known;
    const index = this.ids.push(id) - 1;
    this.#indices.set(id, index);
    return index;
  }
}
