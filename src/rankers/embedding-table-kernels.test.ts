import { readFile } from 'node:fs/promises';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compileKernels, kernelFile, kernelSource } from '../../tools/compile-kernels.ts';
import { Random } from '../random.ts';
import { EmbeddingTable, type TableState } from './embedding-table.ts';
import { bytesOf } from './embedding-table-kernels.ts';
import { LinearMemory } from './linear-memory.ts';
import { sparseOptimizers } from './sparse-optimizers.ts';

const rows = 90;

/** What happens to a table: an update with these rows and gradients, steps without any, a look, or its first state put back. */
interface Event {
  readonly kind: 'update' | 'idle' | 'look' | 'restore';
  readonly lookups: Int32Array;
  /** Random numbers from here on are the gradient. */
  readonly seed: number;
  /** Of the gradient. */
  readonly scale: number;
}

const events = fc.array(
  fc
    .tuple(
      fc.constantFrom('update', 'update', 'idle', 'look', 'restore'),
      fc.array(fc.integer({ min: 0, max: rows - 1 }), { maxLength: 100 }),
      fc.nat(),
      fc.constantFrom(0, 1e-20, 1e-6, 1, 1e4),
    )
    .map(([kind, lookups, seed, scale]): Event => {
      return { kind, lookups: Int32Array.from(lookups), seed, scale };
    }),
  { maxLength: 12 },
);

const tables = fc.record({
  name: fc.constantFrom('adagrad', 'adam'),
  dimension: fc.integer({ min: 1, max: 21 }),
  learningRate: fc.constantFrom(1e-4, 0.01, 0.5),
  decay: fc.constantFrom(0, 0.01),
});

/** All that an event can be seen to do. @param first the state that may be put back */
function happen(
  table: EmbeddingTable,
  first: TableState,
  { kind, lookups, seed, scale }: Event,
): readonly Float32Array[] {
  const random = Random.seeded(seed, 'gradient');
  if (kind === 'update') {
    const size = lookups.length * table.dimension;
    const gradient = Float32Array.from({ length: size }, () => scale * random.normal());
    table.update(table.prepareUpdate(lookups), gradient);
  }
  if (kind === 'idle') {
    const none = new Float32Array(0);
    for (let step = 0; step < 40; step++) table.update(table.prepareUpdate(new Int32Array(0)), none);
  }
  if (kind === 'restore') table.restore(first);
  return kind === 'look' ? [table.gather(lookups)] : [];
}

describe('the kernels in WebAssembly', () => {
  it('are what their source compiles to', async () => {
    const [committed, compiled] = [await readFile(kernelFile), await compileKernels(kernelSource)];
    expect(Buffer.from(compiled).equals(committed)).toBe(true);
  });

  it('do to a table what those in JavaScript do, to the last bit', () => {
    fc.assert(
      fc.property(tables, events, events, ({ name, ...rest }, early, history) => {
        const options = { rows, lookups: 100, optimizer: sparseOptimizers[name], ...rest };
        const [byWebAssembly, byJavaScript] = [true, false].map((choice) => {
          const table = new EmbeddingTable(options, Random.seeded(1, 'table'), choice);
          for (const event of early) happen(table, table.state(), event);
          const first = table.state();
          const seen = history.flatMap((event) => happen(table, first, event));
          expect(seen.every((values) => values.every(Number.isFinite))).toBe(true);
          return { seen, state: table.state(), values: table.values() };
        });
        expect(byWebAssembly).toEqual(byJavaScript);
      }),
      { numRuns: 300 },
    );
  });

  it('sum the gradients of a large batch as those in JavaScript do', () => {
    const [count, lookups, dimension] = [5000, 20_000, 8];
    const options = { rows: count, lookups, dimension, learningRate: 0.01, decay: 0 };
    const [one, other] = [true, false].map((choice) => {
      const random = Random.seeded(2, 'batch');
      const table = new EmbeddingTable(
        { ...options, optimizer: sparseOptimizers.adam },
        Random.seeded(1, 'table'),
        choice,
      );
      for (let step = 0; step < 5; step++) {
        const own = Int32Array.from({ length: lookups }, () => random.integer(count));
        const gradient = Float32Array.from({ length: lookups * dimension }, () => random.normal());
        table.update(table.prepareUpdate(own), gradient);
      }
      return table.state();
    });
    expect(one).toEqual(other);
  });
});

describe('an embedding table', () => {
  const options = {
    dimension: 16,
    lookups: 1024,
    optimizer: sparseOptimizers.adam,
    learningRate: 1,
    decay: 0,
  };

  it('of ten million rows of 16 values with Adam fits into the memory of WebAssembly', () => {
    const table = new EmbeddingTable({ ...options, rows: 10_000_000 }, Random.seeded(1, 'table'), true);
    const last = Int32Array.of(9_999_999);
    table.update(table.prepareUpdate(last), new Float32Array(16).fill(1));
    expect(table.gather(last)[15]).toBeLessThan(-0.9);
    expect(bytesOf({ ...options, rows: 10_000_000 })).toBeLessThan(2e9);
  });

  it('that is too large for it is worked on in JavaScript, the same', () => {
    const rows = 25_000_000;
    expect(bytesOf({ ...options, rows })).toBeGreaterThan(2 ** 32);
    const [large, small] = [rows, 1000].map((own) => {
      const table = new EmbeddingTable({ ...options, rows: own }, Random.seeded(1, 'table'));
      table.update(table.prepareUpdate(Int32Array.of(5, 999, 5)), new Float32Array(48).fill(0.25));
      return table.state();
    });
    expect(large).toEqual(small);
    const far = new EmbeddingTable({ ...options, rows }, Random.seeded(1, 'table'));
    far.update(far.prepareUpdate(Int32Array.of(rows - 1)), new Float32Array(16).fill(1));
    expect(far.gather(Int32Array.of(rows - 1))[15]).toBeLessThan(-0.9);
  });

  it('refuses a gradient of another length, and an update that was prepared before another', () => {
    const table = new EmbeddingTable({ ...options, rows: 10 }, Random.seeded(1, 'table'));
    const early = table.prepareUpdate(Int32Array.of(1));
    const late = table.prepareUpdate(Int32Array.of(2));
    expect(() => table.update(early, new Float32Array(16))).toThrow('not the last one');
    expect(() => table.update(late, new Float32Array(15))).toThrow('15 values for 1 lookups');
    expect(() => table.lookUp(new Int32Array(1025))).toThrow('room for 1024');
  });
});

describe('linear memory', () => {
  it('keeps arrays as they are, and apart, while it grows', () => {
    const memory = new LinearMemory();
    const first = memory.floats(3).fill(1);
    const second = memory.doubles(100_000);
    second.fill(2);
    const third = memory.integers(1_000_000);
    third.fill(3);
    expect([...first]).toEqual([1, 1, 1]);
    expect(second.every((value) => value === 2)).toBe(true);
    expect([first, second, third].every(({ buffer }) => buffer instanceof SharedArrayBuffer)).toBe(true);
  });
});
