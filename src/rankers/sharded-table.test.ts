import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Exchange } from '../collectives/exchange.ts';
import { oneProcess } from '../collectives/one-process.ts';
import { Random } from '../random.ts';
import { BatchRows } from './batch-rows.ts';
import { EmbeddingTable, type TableOptions } from './embedding-table.ts';
import { ShardedTable } from './sharded-table.ts';
import { sparseOptimizers } from './sparse-optimizers.ts';
import { rowInShard, rowInTable, rowsOfShard, shardOf } from './table-shard.ts';
import { gatherState, partOfState, scatterState } from './table-states.ts';

const [rows, dimension] = [40, 5];
const tableOptions = (name: 'adagrad' | 'adam'): TableOptions => {
  const optimizer = sparseOptimizers[name];
  return { rows, dimension, lookups: 64, optimizer, learningRate: 0.1, decay: 0.01 };
};
const key = () => Random.seeded(1, 'table');
const lookupsOf = fc
  .array(fc.integer({ min: 0, max: rows - 1 }), { maxLength: 64 })
  .map((some) => Int32Array.from(some));
const gradientFor = (lookups: Int32Array) =>
  Float32Array.from({ length: lookups.length * dimension }, (_, index) => Math.sin(index) * 2);

describe('the rows of shards', () => {
  it('are dealt so that each row is in one place, shards are as large, and padding is in all', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 9 }), fc.integer({ min: 1, max: 200 }), (count, total) => {
        const sizes = new Array<number>(count).fill(1);
        for (let row = 1; row < total; row++) {
          const index = shardOf(row, { count });
          expect(rowInShard(row, { count })).toBe(sizes[index]!++);
          expect(rowInTable(rowInShard(row, { count }), { index, count })).toBe(row);
        }
        expect(Math.max(...sizes)).toBe(rowsOfShard(total, { count }));
        expect(rowInShard(0, { count })).toBe(0);
      }),
    );
  });

  it.each([true, false])('start as they do in the whole table (by WebAssembly: %s)', (byWebAssembly) => {
    const whole = new EmbeddingTable(tableOptions('adam'), key());
    for (const index of [0, 1, 2]) {
      const shard = { index, count: 3 };
      const options = { ...tableOptions('adam'), rows: rowsOfShard(rows, shard), shard };
      const part = new EmbeddingTable(options, key(), byWebAssembly);
      for (let row = 1 + index; row < rows; row += 3)
        expect(part.gather(Int32Array.of(rowInShard(row, shard)))).toEqual(whole.gather(Int32Array.of(row)));
    }
  });
});

describe('the rows of a batch', () => {
  it('are each wanted once of the shard that has it, spread to their lookups, and their gradients summed', () => {
    fc.assert(
      fc.property(lookupsOf, fc.integer({ min: 1, max: 4 }), (lookups, count) => {
        const batch = new BatchRows(tableOptions('adam'), count);
        const found = batch.find(lookups);
        const distinct = [...new Set(lookups)].filter((row) => row !== 0);
        const wanted = found.ofShard.flatMap((of, index) => new Array<number>(of).fill(index));
        const inTable = [...found.wanted].map((row, place) =>
          rowInTable(row, { index: wanted[place]!, count }),
        );
        expect([...inTable].sort((a, b) => a - b)).toEqual(distinct.sort((a, b) => a - b));
        const numberOf = (row: number, axis: number) => (row === 0 ? 0 : 10 * row + axis);
        const axes = Array.from({ length: dimension }, (_, axis) => axis);
        batch.roomForValues(found).set(inTable.flatMap((row) => axes.map((axis) => numberOf(row, axis))));
        expect([...batch.spread(found)]).toEqual(
          [...lookups].flatMap((row) => axes.map((axis) => numberOf(row, axis))),
        );
        batch.roomForGradient(lookups.length).fill(0.5);
        const times = (row: number) => lookups.filter((each) => each === row).length;
        expect([...batch.sums(found)]).toEqual(inTable.flatMap((row) => axes.map(() => 0.5 * times(row))));
      }),
    );
  });

  it.each([-1, rows])('do not hold row %i, which the table does not have', (row) => {
    const batch = new BatchRows(tableOptions('adam'), 2);
    expect(() => batch.find(Int32Array.of(1, row))).toThrow(`row ${row}`);
  });

  it('that no memory holds are refused', () => {
    const options = { ...tableOptions('adam'), lookups: 2e6, dimension: 1024 };
    const limit = expect.objectContaining({ code: 'LIMIT_EXCEEDED' });
    expect(() => new BatchRows(options, 2)).toThrow(limit);
  });
});

describe.each(['adagrad', 'adam'] as const)('a table of one shard with %s', (name) => {
  it('is the table, to the last bit, whether batches are announced or not', async () => {
    const steps = fc.array(fc.tuple(lookupsOf, lookupsOf, fc.boolean()), { maxLength: 5 });
    await fc.assert(
      fc.asyncProperty(steps, async (several) => {
        const options = tableOptions(name);
        const whole = new EmbeddingTable(options, key());
        const shards = new ShardedTable(options, key(), oneProcess, new Exchange(oneProcess));
        for (const [lookups, looked, announced] of several) {
          if (announced) await shards.announce(lookups);
          expect(await shards.lookUp(looked)).toEqual(whole.lookUp(looked));
          expect(await shards.lookUp(lookups)).toEqual(whole.lookUp(lookups));
          const gradient = gradientFor(lookups);
          await shards.update(shards.prepareUpdate(lookups), gradient);
          whole.update(whole.prepareUpdate(lookups), gradient);
        }
        expect(shards.state()).toEqual(whole.state());
        expect(shards.values()).toEqual(whole.values());
      }),
    );
  });

  it('has a state that falls into parts, of which a smaller table takes its own', async () => {
    const table = new EmbeddingTable(tableOptions(name), key());
    const all = Int32Array.of(1, 5, 9, 14, 22, 23, 39);
    table.update(table.prepareUpdate(all), gradientFor(all));
    const state = table.state();
    const parts = [0, 1, 2].map((index) => partOfState(state, { index, count: 3 }));
    expect(parts.map((part) => [...part.rows])).toEqual([
      [1, 22],
      [5, 14, 23],
      [9, 39],
    ]);
    const width = state.memory.length / all.length;
    expect([...parts[2]!.memory.subarray(width)]).toEqual([...state.memory.subarray(6 * width)]);
    expect(await scatterState(oneProcess, await gatherState(oneProcess, state))).toEqual(state);
  });

  it('refuses an update of a batch that was not looked up', async () => {
    const shards = new ShardedTable(tableOptions(name), key(), oneProcess, new Exchange(oneProcess));
    expect(() => shards.prepareUpdate(Int32Array.of(1))).toThrow('not the last one');
  });
});
