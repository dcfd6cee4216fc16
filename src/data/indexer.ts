/** Ids from outside to indices, in the order in which they first appear. */
import { LargeMap } from '../large-map.ts';
import { safePlace } from '../progress.ts';

/** Some milliseconds. */
const idsBetweenPauses = 2 ** 13;

export class Indexer {
  readonly ids: string[] = [];
  readonly #indices = new LargeMap<string, number>();

  /** @param ids that are known, in their order, each once */
  constructor(ids: readonly string[] = []) {
    for (const id of ids) this.indexOf(id);
  }

  /** The same, where they are so many that others should have their turn meanwhile. */
  static async of(ids: readonly string[]): Promise<Indexer> {
    const indexer = new Indexer();
    for (const [place, id] of ids.entries()) {
      if (place % idsBetweenPauses === 0) await safePlace(undefined);
      indexer.indexOf(id);
    }
    return indexer;
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
