/** Ids from outside to indices, in the order in which they first appear. */
import { LargeMap } from '../large-map.ts';

export class Indexer {
  readonly ids: string[] = [];
  readonly #indices = new LargeMap<string, number>();

  /** @param ids that are known, in their order, each once */
  constructor(ids: readonly string[] = []) {
    for (const id of ids) this.indexOf(id);
  }

  has(id: string): boolean {
    return this.#indices.has(id);
  }

  /** The index of an id, a new one if it has none yet. */
  indexOf(id: string): number {
    const known = this.find(id);
    if (known !== undefined) return known;
    const index = this.ids.push(id) - 1;
    this.#indices.set(id, index);
    return index;
  }

  find(id: string): number | undefined {
    return this.#indices.get(id);
  }
}
