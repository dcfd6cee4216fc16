import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Random } from '../random.ts';
import { EmbeddingTable } from './embedding-table.ts';
import { sparseOptimizers } from './sparse-optimizers.ts';

const [rows, dimension, learningRate] = [8, 3, 0.01];
/** All rows but padding. */
const own = Int32Array.from({ length: rows - 1 }, (_, index) => index + 1);

function newTable(): EmbeddingTable {
  const optimizer = sparseOptimizers.adam;
  return new EmbeddingTable(
    { rows, dimension, lookups: 64, optimizer, learningRate, decay: 0 },
    Random.seeded(1, 'table'),
  );
}

function update(table: EmbeddingTable, lookups: Int32Array, gradient: Float32Array): void {
  table.update(table.prepareUpdate(lookups), gradient);
}

interface Step {
  /** Each once. (n) */
  readonly lookups: Int32Array;
  /** (n, E) */
  readonly gradient: Float32Array;
  /** Steps without any row, after this one. */
  readonly gap: number;
  /** Rows that are looked at after that. */
  readonly seen: Int32Array;
}

/** A few steps with some of the rows, gradients of one order of magnitude, long and short gaps. */
function stepsOf(scale: number) {
  const someRows = fc.subarray([...own]).map((some) => Int32Array.from(some));
  const gradients = fc.array(fc.integer({ min: -64, max: 64 }), { minLength: 24, maxLength: 24 });
  const gap = fc.oneof(fc.constant(0), fc.integer({ min: 1, max: 40 }), fc.integer({ min: 250, max: 400 }));
  const step = fc.tuple(someRows, gradients, gap, someRows).map(([lookups, values, gap, seen]) => {
    const gradient = Float32Array.from(values.slice(0, lookups.length * dimension), (v) => (v * scale) / 64);
    return { lookups, gradient, gap, seen };
  });
  return fc.array(step, { minLength: 1, maxLength: 4 });
}

function train(table: EmbeddingTable, steps: readonly Step[]): void {
  for (const { lookups, gradient, gap, seen } of steps) {
    update(table, lookups, gradient);
    for (let idle = 0; idle < gap; idle++) update(table, new Int32Array(0), new Float32Array(0));
    table.gather(seen);
  }
}

/** The textbook: every value at every step. */
function denseAdam(start: Float32Array, steps: readonly Step[]): readonly number[] {
  const values = [...start].map((value) => ({ value, m: 0, v: 0 }));
  let t = 0;
  const step = (gradient: ReadonlyMap<number, number>) => {
    t++;
    for (const [index, own] of values.entries()) {
      const g = gradient.get(index) ?? 0;
      own.m = 0.9 * own.m + 0.1 * g;
      own.v = 0.999 * own.v + 0.001 * g * g;
      const deviation = Math.sqrt(own.v / (1 - 0.999 ** t));
      own.value -= (learningRate * own.m) / (1 - 0.9 ** t) / (deviation + 1e-8);
    }
  };
  for (const { lookups, gradient, gap } of steps) {
    const placeOf = (index: number) =>
      (lookups[Math.floor(index / dimension)]! - 1) * dimension + (index % dimension);
    step(new Map(Array.from(gradient, (g, index) => [placeOf(index), g])));
    for (let idle = 0; idle < gap; idle++) step(new Map());
  }
  return values.map(({ value }) => value);
}

/** The largest distance from the dense optimiser, in learning rates. */
function distance(steps: readonly Step[], table = newTable()): number {
  const expected = denseAdam(newTable().gather(own), steps);
  train(table, steps);
  const actual = table.gather(own);
  return Math.max(...expected.map((value, index) => Math.abs(actual[index]! - value))) / learningRate;
}

describe('an embedding table with Adam', () => {
  it('equals the dense optimiser, whenever rows are looked at', () => {
    fc.assert(
      fc.property(stepsOf(1), (steps) => {
        expect(distance(steps)).toBeLessThan(1e-5);
      }),
    );
  });

  it('equals it to a hundredth of a step with gradients as small as a hundred times ε', () => {
    fc.assert(
      fc.property(stepsOf(64e-6), (steps) => {
        expect(distance(steps)).toBeLessThan(0.01);
      }),
    );
  });

  it('equals it after thousands of steps without a row', () => {
    const gradient = new Float32Array(own.length * dimension).map((_, index) => Math.sin(index) + 0.1);
    const step = { lookups: own, gradient, seen: Int32Array.of(1, 2) };
    const steps = [5, 2000, 3, 5000, 0].map((gap) => ({ ...step, gap }));
    expect(distance(steps)).toBeLessThan(1e-5);
  });

  it('moves a row on after its gradients have ended, by several steps in all', () => {
    const table = newTable();
    const row = Int32Array.of(1);
    for (let step = 0; step < 50; step++) update(table, row, Float32Array.of(1, 1, 1));
    const [before] = table.gather(row);
    train(table, [{ lookups: own.subarray(1, 1), gradient: new Float32Array(0), gap: 100, seen: own }]);
    const [after] = table.gather(row);
    expect((before! - after!) / learningRate).toBeGreaterThan(3);
  });

  it('keeps padding zero when it goes back to an earlier state', () => {
    const table = newTable();
    const looked = Int32Array.of(0, 1);
    const step = () => update(table, looked, new Float32Array(2 * dimension).fill(1));
    step();
    const early = table.state();
    for (let count = 0; count < 5; count++) step();
    table.gather(looked);
    table.restore(early);
    expect([...table.gather(looked).subarray(0, dimension)]).toEqual([0, 0, 0]);
  });

  it('equals it across a state put into another table, and goes on to the same bits', () => {
    fc.assert(
      fc.property(stepsOf(1), stepsOf(1), (first, second) => {
        const [whole, resumed] = [newTable(), newTable()];
        train(resumed, second);
        train(whole, first);
        resumed.restore(whole.state());
        const expected = denseAdam(newTable().gather(own), [...first, ...second]);
        for (const table of [whole, resumed]) train(table, second);
        expect(resumed.state()).toEqual(whole.state());
        for (const [index, value] of resumed.gather(own).entries()) {
          expect(Math.abs(value - expected[index]!)).toBeLessThan(2e-5 * learningRate);
        }
      }),
    );
  });
});
