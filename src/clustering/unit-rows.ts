/** The rows that are clustered: embeddings of items that have one, brought to length 1. */
import type { StoredEmbeddings } from '../data/embeddings.ts';
import { unitScale } from '../data/unit-length.ts';
import type { RowSource } from './centre-search.ts';

/**
 * Numbers of the items whose vector is not zero.
 * @throws CourierError VALUE_INVALID naming an item whose vector is not finite or not of length about 1 or 0
 */
export function presentItems(embeddings: StoredEmbeddings): Int32Array {
  const present = new Int32Array(embeddings.ids.length);
  let count = 0;
  for (let item = 0; item < present.length; item++)
    if (scaleOf(embeddings, item) !== 0) present[count++] = item;
  return present.slice(0, count);
}

/** The vectors of present items, in the order of their numbers. They are scaled as they are read: (n, d) is large. */
export function unitRows(embeddings: StoredEmbeddings, items: Int32Array): RowSource {
  const { dimension, vectors } = embeddings;
  const scales = Float64Array.from(items, (item) => scaleOf(embeddings, item));
  const read = (from: number, to: number) => {
    const rows = new Float32Array((to - from) * dimension);
    for (let row = from; row < to; row++) {
      const [item, start, scale] = [items[row]!, (row - from) * dimension, scales[row]!];
      rows.set(vectors.subarray(item * dimension, (item + 1) * dimension), start);
      if (scale !== 1) for (let i = start; i < start + dimension; i++) rows[i]! *= scale;
    }
    return rows;
  };
  return { count: items.length, read, squaredLength: () => 1 };
}

function scaleOf({ ids, dimension, vectors }: StoredEmbeddings, item: number): number {
  return unitScale(ids[item]!, vectors.subarray(item * dimension, (item + 1) * dimension));
}
