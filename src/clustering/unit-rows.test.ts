import { describe, expect, it } from 'vitest';
import { Random } from '../random.ts';
import { ascendingWithinBatches } from './k-means.ts';
import { presentItems, unitRows } from './unit-rows.ts';

const dimension = 6;

describe('rows of unit length', () => {
  it.each([1, 3])(
    'are the same read together, read alone and added up, from vectors of length %i',
    (length) => {
      const random = Random.seeded(length, 'rows');
      const vectors = Float32Array.from({ length: 40 * dimension }, () => random.normal());
      for (let item = 0; item < 40; item++) {
        const vector = vectors.subarray(item * dimension, (item + 1) * dimension);
        const scale = item % 7 === 0 ? 0 : length / Math.hypot(...vector);
        for (let i = 0; i < dimension; i++) vector[i]! *= scale;
      }
      const embeddings = { ids: Array.from({ length: 40 }, (_, item) => `${item}`), dimension, vectors };
      const items = presentItems(embeddings);
      expect(items).toHaveLength(34);
      random.shuffle(items.subarray(0, 20));
      const rows = unitRows(embeddings, items);
      const together = rows.read(3, 30);
      for (let row = 3; row < 30; row++) {
        const own = together.subarray((row - 3) * dimension, (row - 2) * dimension);
        expect(Math.hypot(...own)).toBeCloseTo(1, 6);
        expect(rows.read(row, row + 1)).toEqual(own);
        const sums = new Float64Array(2 * dimension);
        rows.addTo(sums, dimension, row, -1);
        expect([...sums.subarray(dimension)]).toEqual(Array.from(own, (value) => -value));
      }
    },
  );
});

describe('items in the order in which batches take them', () => {
  it('are ascending among those that join together, and the same of each batch', () => {
    const random = Random.seeded(1, 'order');
    const drawn = random.shuffle(Int32Array.from({ length: 100_000 }, (_, item) => item));
    const ordered = ascendingWithinBatches(drawn.slice(), 10);
    expect(ordered.subarray(0, 16_384)).toEqual(drawn.subarray(0, 16_384));
    for (const [from, to] of [
      [16_384, 65_536],
      [65_536, 100_000],
    ] as const)
      expect(ordered.subarray(from, to)).toEqual(drawn.slice(from, to).sort());
  });
});
