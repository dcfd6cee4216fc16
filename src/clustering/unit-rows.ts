/** The rows that are clustered: embeddings of items that have one, brought to length 1. */
import type { StoredEmbeddings } from '../data/embeddings/embeddings.ts';
import { unitScale } from '../data/embeddings/unit-length.ts';
import type { SummedRows } from './centre-search.ts';

/**
 * Numbers of the items whose vector is not zero.
 * @throws CourierError VALUE_INVALID naming an item whose vector is not finite or not of length about 1 or 0
 */
export function presentItems(embeddings: StoredEmbeddings): Int32Array {
  const scales = scalesOf(embeddings);
  const present = new Int32Array(scales.length);
  let count = 0;
  for (let item = 0; item < present.length; item++) if (scales[item] !== 0) present[count++] = item;
  return present.slice(0, count);
}

/** The vectors of present items, in the order of their numbers. They are scaled as they are read: (n, d) is large. */
export function unitRows(embeddings: StoredEmbeddings, items: Int32Array): SummedRows {
  const { dimension, vectors } = embeddings;
  const scaleOfItem = scalesOf(embeddings);
  const scales = items.some((item) => scaleOfItem[item] !== 1)
    ? Float64Array.from(items, (item) => scaleOfItem[item]!)
    : null;
  const read = (from: number, to: number) => {
    // Every value is written below.
    const rows = new Float32Array(Buffer.allocUnsafeSlow(4 * (to - from) * dimension).buffer);
    for (let row = from; row < to; ) {
      // Items that lie side by side are copied together.
      let end = row + 1;
      while (end < to && items[end] === items[end - 1]! + 1) end++;
      const first = items[row]! * dimension;
      rows.set(vectors.subarray(first, first + (end - row) * dimension), (row - from) * dimension);
      for (; row < end; row++) {
        const [start, scale] = [(row - from) * dimension, scales?.[row] ?? 1];
        if (scale !== 1) for (let i = start; i < start + dimension; i++) rows[i]! *= scale;
      }
    }
    return rows;
  };
  const addTo = (sums: Float64Array, place: number, index: number, times: number) => {
    const [start, scale] = [items[index]! * dimension, scales?.[index] ?? 1];
    // Of a scaled row float32 is kept, as it is read.
    if (scale === 1) for (let i = 0; i < dimension; i++) sums[place + i]! += times * vectors[start + i]!;
    else
      for (let i = 0; i < dimension; i++)
        sums[place + i]! += times * Math.fround(vectors[start + i]! * scale);
  };
  return { count: items.length, read, squaredLength: () => 1, addTo };
}

/** All vectors have to be read for them, and every number of clusters asks for them. */
const known = new WeakMap<StoredEmbeddings, Float64Array>();

/** What brings each item to length 1, 0 for one without a vector. (n) */
function scalesOf(embeddings: StoredEmbeddings): Float64Array {
  const found = known.get(embeddings);
  if (found !== undefined) return found;
  const { ids, dimension, vectors } = embeddings;
  const scales = Float64Array.from(ids, (id, item) => {
    return unitScale(id, vectors.subarray(item * dimension, (item + 1) * dimension));
  });
  known.set(embeddings, scales);
  return scales;
}
