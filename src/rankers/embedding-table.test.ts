import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { referenceDir } from '../../test/support/reference.ts';
import { Random } from '../random.ts';
import { floatTensor, readSafeTensors } from '../runtime/safetensors.ts';
import { EmbeddingTable, paddingRow } from './embedding-table.ts';
import { sparseOptimizers } from './sparse-optimizers.ts';

const names = ['adagrad', 'adam'] as const;
const [rows, dimension] = [20, 3];

function tableOf(name: (typeof names)[number], options = { learningRate: 0.1, decay: 0 }) {
  const optimizer = sparseOptimizers[name];
  return new EmbeddingTable({ rows, dimension, optimizer, ...options }, Random.seeded(1, 'table'));
}

/** Up to 30 row numbers, padding and repeats among them, with a gradient for each. */
const batches = fc
  .array(
    fc.tuple(fc.integer({ min: 0, max: rows - 1 }), fc.array(fc.integer(), { minLength: 3, maxLength: 3 })),
    {
      maxLength: 30,
    },
  )
  .map((entries) => ({
    lookups: Int32Array.from(entries, ([row]) => row),
    gradient: Float32Array.from(entries.flatMap(([, values]) => values.map((value) => (value % 64) / 8))),
  }));

describe.each(names)('an embedding table with %s', (name) => {
  it('follows PyTorch over five steps, each gradient split over two occurrences', async () => {
    const file = join(referenceDir(), `optimizer-${name}.safetensors`);
    const reference = await readSafeTensors(file, 'Reference');
    const learningRate = Number(reference.metadata['lr']);
    const decay = Number(reference.metadata['weight_decay'] ?? 0);
    const table = tableOf(name, { learningRate, decay });
    const values = table.snapshot();
    const start = floatTensor(reference, 'start').data;
    values.set(start, dimension);
    table.restore(values);
    const own = Array.from({ length: start.length / dimension }, (_, row) => row + 1);
    for (let step = 0; step < 5; step++) {
      const halves = floatTensor(reference, `grad.${step}`).data.map((value) => value / 2);
      table.update(Int32Array.from([...own, ...own]), Float32Array.from([...halves, ...halves]));
      const after = floatTensor(reference, `after.${step}`).data;
      const actual = table.gather(Int32Array.from(own));
      for (const [index, value] of after.entries()) expect(actual[index]).toBeCloseTo(value, 5);
    }
  });

  it('leaves rows outside of the batch, and padding, bit by bit as they were', () => {
    fc.assert(
      fc.property(batches, ({ lookups, gradient }) => {
        const table = tableOf(name, { learningRate: 0.1, decay: 0.01 });
        const before = table.snapshot();
        table.update(lookups, gradient);
        const after = table.snapshot();
        for (let row = 0; row < rows; row++) {
          if (row !== paddingRow && lookups.includes(row)) continue;
          const own = [row * dimension, (row + 1) * dimension] as const;
          expect(after.subarray(...own)).toEqual(before.subarray(...own));
        }
      }),
    );
  });

  it('treats repeated rows as one row with the summed gradient', () => {
    fc.assert(
      fc.property(batches, ({ lookups, gradient }) => {
        const sums = new Map<number, number[]>();
        for (const [index, row] of lookups.entries()) {
          const sum = sums.get(row) ?? [0, 0, 0];
          sums.set(
            row,
            sum.map((value, axis) => value + gradient[index * dimension + axis]!),
          );
        }
        const [repeated, summed] = [tableOf(name), tableOf(name)];
        repeated.update(lookups, gradient);
        summed.update(Int32Array.from(sums.keys()), Float32Array.from([...sums.values()].flat()));
        expect(repeated.snapshot()).toEqual(summed.snapshot());
      }),
    );
  });
});

describe('an embedding table', () => {
  it('gathers rows in the order asked for, padding as zero', () => {
    const table = tableOf('adagrad');
    const values = table.snapshot();
    const gathered = table.gather(Int32Array.of(7, paddingRow, 7));
    expect(gathered).toEqual(
      Float32Array.of(...values.subarray(21, 24), 0, 0, 0, ...values.subarray(21, 24)),
    );
    expect(values.subarray(21, 24).every((value) => value !== 0)).toBe(true);
  });
});
