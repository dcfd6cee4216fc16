import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { referenceDir } from '../../test/support/reference.ts';
import { Random } from '../random.ts';
import { floatTensor, readSafeTensors } from '../storage/safetensors.ts';
import { EmbeddingTable, paddingRow, type TableOptions } from './embedding-table.ts';
import { sparseOptimizers } from './sparse-optimizers.ts';

const names = ['adagrad', 'adam'] as const;
const [rows, dimension] = [20, 3];

function tableOf(name: (typeof names)[number], options: Partial<TableOptions> = {}, seed = 1) {
  const optimizer = sparseOptimizers[name];
  return new EmbeddingTable(
    { rows, dimension, lookups: 64, optimizer, learningRate: 0.1, decay: 0, ...options },
    Random.seeded(seed, 'table'),
  );
}

const numbered = (length: number) => Int32Array.from({ length }, (_, row) => row);

function update(table: EmbeddingTable, lookups: Int32Array, gradient: Float32Array): void {
  table.update(table.prepareUpdate(lookups), gradient);
}

/** Every value of a table. (rows, E) */
const valuesOf = (table: EmbeddingTable, count = rows) => table.gather(numbered(count));

/** Up to 30 row numbers, padding and repeats among them, with a gradient for each. */
const batches = fc
  .array(
    fc.tuple(fc.integer({ min: 0, max: rows - 1 }), fc.array(fc.integer(), { minLength: 3, maxLength: 3 })),
    { maxLength: 30 },
  )
  .map((entries) => ({
    lookups: Int32Array.from(entries, ([row]) => row),
    gradient: Float32Array.from(entries.flatMap(([, values]) => values.map((value) => (value % 64) / 8))),
  }));

const several = fc.array(batches, { maxLength: 4 });

interface Step {
  readonly lookups: Int32Array;
  readonly gradient: Float32Array;
}

function train(table: EmbeddingTable, steps: readonly Step[]): void {
  for (const { lookups, gradient } of steps) update(table, lookups, gradient);
}

describe.each(names)('an embedding table with %s', (name) => {
  it('follows PyTorch over five steps, each gradient split over two occurrences', async () => {
    const file = join(referenceDir(), `optimizer-${name}.safetensors`);
    const reference = await readSafeTensors(file, 'Reference');
    const learningRate = Number(reference.metadata['lr']);
    const decay = Number(reference.metadata['weight_decay'] ?? 0);
    const table = tableOf(name, { learningRate, decay });
    const start = floatTensor(reference, 'start').data;
    const own = numbered(start.length / dimension).map((row) => row + 1);
    table.gather(own);
    const state = table.state();
    for (const index of own.keys()) {
      const at = (index * state.memory.length) / own.length;
      state.memory.set(start.subarray(index * dimension, (index + 1) * dimension), at);
    }
    table.restore(state);
    for (let step = 0; step < 5; step++) {
      const halves = floatTensor(reference, `grad.${step}`).data.map((value) => value / 2);
      update(table, Int32Array.from([...own, ...own]), Float32Array.from([...halves, ...halves]));
      const after = floatTensor(reference, `after.${step}`).data;
      const actual = table.gather(own);
      for (const [index, value] of after.entries()) expect(actual[index]).toBeCloseTo(value, 5);
    }
  });

  it('keeps padding zero', () => {
    fc.assert(
      fc.property(several, (steps) => {
        const table = tableOf(name, { decay: 0.01 });
        train(table, steps);
        expect([...table.gather(Int32Array.of(paddingRow))]).toEqual([0, 0, 0]);
      }),
    );
  });

  it('treats repeated rows as one row with the summed gradient', () => {
    fc.assert(
      fc.property(batches, ({ lookups, gradient }) => {
        const sums = new Map<number, number[]>();
        for (const [index, row] of lookups.entries()) {
          const before = sums.get(row) ?? [0, 0, 0];
          sums.set(
            row,
            before.map((value, axis) => value + gradient[index * dimension + axis]!),
          );
        }
        const [repeated, summed] = [tableOf(name), tableOf(name)];
        update(repeated, lookups, gradient);
        update(summed, Int32Array.from(sums.keys()), Float32Array.from([...sums.values()].flat()));
        expect(valuesOf(repeated)).toEqual(valuesOf(summed));
      }),
    );
  });

  it('goes on from a state as if nobody had asked for it, whatever was trained in between', () => {
    fc.assert(
      fc.property(several, several, several, (first, between, second) => {
        const [whole, stopped] = [tableOf(name), tableOf(name)];
        for (const table of [whole, stopped]) train(table, first);
        const state = stopped.state();
        train(stopped, between);
        stopped.restore(state);
        for (const table of [whole, stopped]) train(table, second);
        expect(stopped.state()).toEqual(whole.state());
        expect(valuesOf(stopped)).toEqual(valuesOf(whole));
      }),
    );
  });

  it('takes over a smaller table as its leading rows and leaves the rest fresh', () => {
    fc.assert(
      fc.property(batches, batches, (small, before) => {
        const [source, target] = [tableOf(name), tableOf(name, { rows: 30 }, 2)];
        update(source, small.lookups, small.gradient);
        valuesOf(source);
        update(
          target,
          before.lookups.map((row) => row && row + 10),
          before.gradient,
        );
        target.restore(source.state());
        const fresh = valuesOf(tableOf(name, { rows: 30 }, 2), 30);
        const [actual, cut] = [valuesOf(target, 30), rows * dimension];
        expect(actual.subarray(0, cut)).toEqual(valuesOf(source));
        expect(actual.subarray(cut)).toEqual(fresh.subarray(cut));
      }),
    );
  });
});

describe('an embedding table with adagrad', () => {
  it('leaves rows outside of the batch bit by bit as they were', () => {
    fc.assert(
      fc.property(batches, ({ lookups, gradient }) => {
        const table = tableOf('adagrad', { decay: 0.01 });
        const before = valuesOf(table);
        update(table, lookups, gradient);
        const after = valuesOf(table);
        for (let row = 0; row < rows; row++) {
          if (lookups.includes(row)) continue;
          const own = [row * dimension, (row + 1) * dimension] as const;
          expect(after.subarray(...own)).toEqual(before.subarray(...own));
        }
      }),
    );
  });
});

describe('an embedding table', () => {
  it('gathers rows in the order asked for, padding as zero', () => {
    const table = tableOf('adagrad');
    const gathered = table.gather(Int32Array.of(7, paddingRow, 7));
    const seven = valuesOf(table).subarray(21, 24);
    expect(gathered).toEqual(Float32Array.of(...seven, 0, 0, 0, ...seven));
    expect(seven.every((value) => value !== 0)).toBe(true);
  });

  it('starts a row with values that follow from seed and row, not from when it is looked up or from the size', () => {
    const order = fc.shuffledSubarray([...numbered(rows)], { minLength: rows, maxLength: rows });
    fc.assert(
      fc.property(order, fc.integer({ min: rows, max: 5000 }), (shuffled, size) => {
        const table = tableOf('adam', { rows: size });
        for (const row of shuffled) table.gather(Int32Array.of(row));
        expect(valuesOf(table)).toEqual(valuesOf(tableOf('adam')));
      }),
    );
    expect(valuesOf(tableOf('adam', {}, 2))).not.toEqual(valuesOf(tableOf('adam')));
  });

  it('starts with independent values of mean 0 and deviation 0.01', () => {
    const [count, length] = [20_000, 8];
    const table = tableOf('adagrad', { rows: count + 1, dimension: length });
    const values = table.gather(numbered(count + 1)).subarray(length);
    const at = (index: number) => values[index % values.length]! / 0.01;
    /** Of 160,000 numbers of deviation 1 or less: 0.01 is four of the mean's deviations. */
    const mean = (of: (index: number) => number) =>
      values.reduce((total, _, index) => total + of(index), 0) / values.length;
    expect(Math.abs(mean(at))).toBeLessThan(0.01);
    expect(Math.abs(mean((index) => at(index) ** 2) - 1)).toBeLessThan(0.01);
    for (const lag of [1, 2, length, 2 * length, 1024 * length]) {
      expect(Math.abs(mean((index) => at(index) * at(index + lag)))).toBeLessThan(0.01);
    }
    expect(values.every((value) => Math.abs(value) < 0.01 * Math.sqrt(3) + 1e-6)).toBe(true);
    expect(new Set(values).size).toBeGreaterThan(0.98 * values.length);
  });

  it('keeps in a state only the rows that were looked up', () => {
    const table = tableOf('adam', { rows: 1_000_000 });
    table.gather(Int32Array.of(999_999, 31, paddingRow, 32));
    update(table, Int32Array.of(63), Float32Array.of(1, 2, 3));
    const { rows: kept, memory } = table.state();
    expect([...kept]).toEqual([31, 32, 63, 999_999]);
    expect(memory).toHaveLength(4 * 3 * dimension);
  });

  it('takes no memory for rows that were never looked up', () => {
    const before = process.memoryUsage().rss;
    const table = tableOf('adam', { rows: 10_000_000, dimension: 32 });
    update(table, Int32Array.of(1, 5_000_000, 9_999_999), new Float32Array(96).fill(1));
    // All rows would take 3.8 GB.
    expect(process.memoryUsage().rss - before).toBeLessThan(50e6);
    expect(table.gather(Int32Array.of(9_999_999))[31]).toBeLessThan(-0.05);
  });

  it.each([-1, rows, 2 ** 31 - 1])('refuses row %i, which it does not have', (row) => {
    expect(() => tableOf('adam').gather(Int32Array.of(1, row))).toThrow(`row ${row}`);
    expect(() => update(tableOf('adam'), Int32Array.of(row), new Float32Array(3))).toThrow(`row ${row}`);
  });

  it('refuses a state that does not fit, and a size that no memory holds', () => {
    const state = tableOf('adam').state();
    const last = tableOf('adam', { rows: 40 });
    last.gather(Int32Array.of(39));
    const invalid = expect.objectContaining({ code: 'CHECKPOINT_INVALID' });
    expect(() => tableOf('adagrad').restore(state)).toThrow(invalid);
    expect(() => tableOf('adam', { dimension: 4 }).restore(state)).toThrow(invalid);
    expect(() => tableOf('adam').restore(last.state())).toThrow(invalid);
    const limit = expect.objectContaining({ code: 'LIMIT_EXCEEDED' });
    expect(() => tableOf('adam', { rows: 1e9, dimension: 32 })).toThrow(limit);
  });
});
