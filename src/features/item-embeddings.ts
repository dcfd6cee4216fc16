/** Embeddings of the catalogue's items, matched by item id and checked. */
import type { Catalogue } from '../data/dataset.ts';
import { unitScale } from '../data/embeddings/unit-length.ts';
import { Indexer } from '../data/indexer.ts';
import { CourierError } from '../errors.ts';

/** Embeddings by the number of their item, as features look at them. */
export type EmbeddedItems = Pick<ItemEmbeddings, 'dimension' | 'vectors' | 'present' | 'cosine'>;

/** Cosine of two items; 0 when either has no embedding. */
export function cosineOf(
  { dimension, vectors }: Pick<ItemEmbeddings, 'dimension' | 'vectors'>,
  one: number,
  other: number,
): number {
  let dot = 0;
  for (let i = one * dimension, j = other * dimension; i < (one + 1) * dimension; i++, j++) {
    dot += vectors[i]! * vectors[j]!;
  }
  return dot;
}

export class ItemEmbeddings {
  /** Length d of an embedding. */
  readonly dimension: number;
  /** Row n belongs to item n of the catalogue: of length 1, or zero for an item without a photo. (N, d) */
  readonly vectors: Float32Array;
  /** 1 for an item with an embedding, 0 for a zero row. (N) */
  readonly present: Uint8Array;
  /** Items of the catalogue without an embedding. */
  readonly missing: number;
  /** Embeddings of ids that the catalogue does not have, left out. */
  readonly unknown: number;

  private constructor(dimension: number, vectors: Float32Array, present: Uint8Array, unknown: number) {
    this.dimension = dimension;
    this.vectors = vectors;
    this.present = present;
    this.missing = present.reduce((count, one) => count + 1 - one, 0);
    this.unknown = unknown;
  }

  /**
   * Puts embeddings into the order of the catalogue; where they are in it and of unit length, the array itself is kept.
   * @param ids whose embedding each row is, in any order. (n)
   * @param vectors of length about 1, to which they are brought, or zero. (n, d)
   * @throws CourierError VALUE_INVALID naming the item whose embedding is not finite, neither of length 1
   *   nor zero, or given twice; or when the values do not fill one row per id
   */
  static forCatalogue(
    catalogue: Pick<Catalogue, 'ids'>,
    ids: readonly string[],
    vectors: Float32Array,
  ): ItemEmbeddings {
    const dimension = vectors.length / ids.length;
    if (!Number.isInteger(dimension) || dimension < 1) {
      throw invalid(`${vectors.length} values for ${ids.length} items are no embeddings`);
    }
    // Where every row is in its place already, there is no need for a copy, nor to look ids up.
    const inPlace = ids.length === catalogue.ids.length && ids.every((id, row) => id === catalogue.ids[row]);
    let aligned = inPlace ? vectors : new Float32Array(catalogue.ids.length * dimension);
    const present = new Uint8Array(catalogue.ids.length);
    const items = new Indexer(inPlace ? [] : catalogue.ids);
    const seen = new Indexer();
    let unknown = 0;
    for (const [row, id] of ids.entries()) {
      if (!inPlace) {
        if (seen.has(id)) throw invalid(`item ${id} has two embeddings`, 'Keep one embedding of each item.');
        seen.indexOf(id);
      }
      const vector = vectors.subarray(row * dimension, (row + 1) * dimension);
      const scale = unitScale(id, vector);
      const item = inPlace ? row : items.find(id);
      if (item === undefined) {
        unknown++;
        continue;
      }
      if (inPlace && (scale === 1 || scale === 0)) {
        present[item] = scale;
        continue;
      }
      // The caller's array stays as it is.
      if (aligned === vectors) aligned = vectors.slice();
      aligned.set(scale === 1 ? vector : vector.map((value) => scale * value), item * dimension);
      present[item] = Number(scale !== 0);
    }
    return new ItemEmbeddings(dimension, aligned, present, unknown);
  }

  /** Cosine of two items; 0 when either has no embedding. */
  cosine(one: number, other: number): number {
    return cosineOf(this, one, other);
  }
}

function invalid(problem: string, remedy = 'Embed the catalogue again.'): CourierError {
  return new CourierError('VALUE_INVALID', `Item embeddings cannot be used: ${problem}.`, remedy);
}
