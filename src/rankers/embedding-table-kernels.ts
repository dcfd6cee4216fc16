/** What is done with many rows of an embedding table at a time, and the arrays that it is done on. */
import { askForHugePages } from '../runtime/huge-pages.ts';
import type { IdleRows } from './embedding-table-adam.ts';
import type { TableMemory } from './embedding-table-memory.ts';
import type { StartKey } from './embedding-table-start.ts';
import { type SparseOptimizer, strideOf } from './sparse-optimizers.ts';
import type { TableShard } from './table-shard.ts';

/** The row that stands for an empty place. It is zero and stays so. */
export const paddingRow = 0;

export interface TableOptions {
  /** Of the shard, where it is one. */
  readonly rows: number;
  /** Length E of a row. */
  readonly dimension: number;
  /** Lookups n of a batch at most. */
  readonly lookups: number;
  readonly optimizer: SparseOptimizer;
  readonly learningRate: number;
  /** L2 penalty, added to the gradient of the rows that are touched. */
  readonly decay: number;
  /** Where the table is a part of a larger one: which, so that its rows start as they would there. */
  readonly shard?: TableShard;
}

export interface TableArrays {
  /** Of each row its E values, its slots and what `strideOf` has besides: what a step needs of it, in one place. (rows, stride) */
  readonly values: Float32Array;
  /** A bit for each row, set once its values have been written. */
  readonly present: Int32Array;
  /** What the optimiser still has to do to rows; null if it never has. */
  readonly idle: IdleRows | null;
  /** Rows to gather. (n) */
  readonly lookups: Int32Array;
  readonly gathered: Float32Array; // (n, E)
  /** Rows to update, and then the place of each among the distinct ones, −1 for padding. (n) */
  readonly places: Int32Array;
  /** To find them: a row and its place, side by side. A power of two, two thirds full at most. */
  readonly entries: Int32Array;
  /** Each row once, in the order of their first occurrence. (d), or longer */
  readonly distinct: Int32Array;
  readonly gradient: Float32Array; // (n, E)
  /** Of the gradient, for each distinct row. (d, E), or longer */
  readonly sums: Float32Array;
}

/** Row numbers in the arrays were checked before. */
export interface TableKernels {
  /** The first `count` of `lookups` → `gathered`. Rows that were never looked up begin. */
  gather(count: number): void;
  /** Finds the `distinct` rows among the first `count` of `places`. @returns d */
  findDistinct(count: number): number;
  /**
   * One step of the optimiser on the distinct rows, after the `gradient` was summed for each.
   * @param count of `places`
   * @param distinct d
   * @param step t = 1, 2, …
   */
  update(count: number, distinct: number, step: number): void;
}

/** What kernels are made of. */
export interface Table {
  readonly options: TableOptions;
  readonly start: StartKey;
  readonly arrays: TableArrays;
}

/** @throws RangeError where there is no memory for it */
export function createArrays(options: TableOptions, memory: TableMemory): TableArrays {
  const { rows, dimension, lookups, optimizer } = options;
  const values = memory.floats(rows * strideOf(optimizer, dimension));
  askForHugePages(values);
  const trained = optimizer.name === 'none' ? 0 : lookups;
  return {
    values,
    present: memory.integers(Math.ceil(rows / 32)),
    idle: optimizer.idleRows?.(options, memory, values) ?? null,
    lookups: memory.integers(lookups),
    gathered: memory.floats(lookups * dimension),
    places: memory.integers(trained),
    entries: memory.integers(2 * entriesFor(trained)),
    distinct: memory.integers(trained),
    gradient: memory.floats(trained * dimension),
    sums: memory.floats(trained * dimension),
  };
}

/** Entries to find so many rows with. A power of two */
export function entriesFor(lookups: number): number {
  return 2 ** Math.ceil(Math.log2(Math.max(2, 1.5 * lookups)));
}

/** Bytes of all arrays, but for what grows with the steps. */
export function bytesOf({ rows, dimension, lookups, optimizer }: TableOptions): number {
  const ofRow = 4 * strideOf(optimizer, dimension) + 1 / 8;
  return rows * ofRow + lookups * 4 * (3 + 3 * dimension) + 8 * entriesFor(lookups);
}
