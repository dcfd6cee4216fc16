/**
 * Which rows of an embedding table a shard holds. Rows are dealt out one after the other, padding aside, which every shard has as
 * its own row 0: neighbours are ids that came at the same time, and all shards have as many.
 */

export interface TableShard {
  /** From 0. */
  readonly index: number;
  readonly count: number;
}

/** A table that is not cut. */
export const wholeTable: TableShard = { index: 0, count: 1 };

/** Rows of each shard at most, of a table of so many, padding in both. */
export function rowsOfShard(rows: number, { count }: Pick<TableShard, 'count'>): number {
  return 1 + Math.ceil((rows - 1) / count);
}

/** Which shard has a row that is not padding. */
export function shardOf(row: number, { count }: Pick<TableShard, 'count'>): number {
  return (row - 1) % count;
}

/** The number of a row in its shard; 0 for padding. */
export function rowInShard(row: number, { count }: Pick<TableShard, 'count'>): number {
  return 1 + Math.floor((row - 1) / count);
}

/** The number in the whole table of a row of a shard that is not padding. */
export function rowInTable(row: number, { index, count }: TableShard): number {
  return row * count + firstOf({ index, count });
}

/** What is to be added to `count` times a row's number in the shard, for that in the table. */
export function firstOf({ index, count }: TableShard): number {
  return 1 + index - count;
}
