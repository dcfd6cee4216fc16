/**
 * DuckDB's vectors as typed memory: numbers go through bytes, a vector at a time. The binding's own objects, one for
 * each value and each list, take a hundred times as long and twelve bytes for each byte of an embedding.
 */
import duckdb from '@duckdb/node-bindings';

export type Numbers = Int32Array | Uint8Array | Float32Array | Float64Array;

/** Numbers in memory that no other thread shares, as the binding asks for. */
type OwnNumbers =
  | Int32Array<ArrayBuffer>
  | Uint8Array<ArrayBuffer>
  | Float32Array<ArrayBuffer>
  | Float64Array<ArrayBuffer>
  | BigInt64Array<ArrayBuffer>
  | Int8Array<ArrayBuffer>;

/** Numbers of vectors. */
export type OwnVectors = Float32Array<ArrayBuffer> | Int8Array<ArrayBuffer>;

export type Vector = duckdb.Vector;

/** Rows of a chunk at most. */
export const chunkRows = duckdb.vector_size();

/** The vector of a column. */
export function vectorOf(chunk: duckdb.DataChunk, column: number): duckdb.Vector {
  return duckdb.data_chunk_get_vector(chunk, column);
}

/** Copies the first values of a vector of the target's own type. */
export function readNumbers(vector: duckdb.Vector, target: Numbers): void {
  const bytes = new Uint8Array(target.buffer, target.byteOffset, target.byteLength);
  bytes.set(duckdb.vector_get_data(vector, target.byteLength));
}

/** The first of n values of a BIGINT vector, each of which is one more than the last. @throws Error if they are not */
export function firstOfRun(vector: duckdb.Vector, count: number): number {
  const { buffer, byteOffset } = duckdb.vector_get_data(vector, 8 * count);
  const values = new BigInt64Array(buffer, byteOffset, count);
  const first = Number(values[0]);
  if (Number(values[count - 1]) - first !== count - 1) throw new Error('rows of a chunk are not in a row');
  return first;
}

/** Whether one of the values `from` … `to` − 1 is missing. */
export function hasNull(vector: duckdb.Vector, from: number, to: number): boolean {
  const valid = duckdb.vector_get_validity(vector, 8 * Math.ceil(to / 64));
  // A vector in which nothing is missing may have no mask.
  if (!valid) return false;
  for (let at = from; at < to; at++) if (((valid[at >> 3]! >> (at & 7)) & 1) === 0) return true;
  return false;
}

/** The lists of a vector of FLOAT[]. */
export interface Lists {
  /** Where the values of a row begin. */
  offset(row: number): number;
  length(row: number): number;
  /** Those of all rows, and maybe some of none. */
  readonly values: Float32Array;
  /** Whether one of the values `from` … `to` − 1 is missing. */
  hasNull(from: number, to: number): boolean;
}

/** The lists of the first n rows, of which none is missing. */
export function readLists(vector: duckdb.Vector, count: number): Lists {
  const entries = duckdb.vector_get_data(vector, 16 * count);
  // Each an offset and a length of 64 bits, whose lower halves are enough for what a chunk can hold.
  const halves = new Uint32Array(entries.buffer, entries.byteOffset, 4 * count);
  const child = duckdb.list_vector_get_child(vector);
  const size = duckdb.list_vector_get_size(vector);
  const { buffer, byteOffset } = duckdb.vector_get_data(child, 4 * size);
  return {
    offset: (row) => halves[4 * row]!,
    length: (row) => halves[4 * row + 2]!,
    values: new Float32Array(buffer, byteOffset, size),
    hasNull: (from, to) => hasNull(child, from, to),
  };
}

/**
 * Copies lists of equal length, one after the other.
 * @param target (n, d)
 * @returns false if one of their values is missing
 */
export function copyLists(lists: Lists, count: number, dimension: number, target: Float32Array): boolean {
  for (let row = 0, end = 1; row < count; row = end++) {
    const from = lists.offset(row);
    while (end < count && lists.offset(end) === from + (end - row) * dimension) end++;
    const to = from + (end - row) * dimension;
    if (lists.hasNull(from, to)) return false;
    target.set(lists.values.subarray(from, to), row * dimension);
  }
  return true;
}

/** Fills the first rows of a vector of the values' own type. */
export function writeNumbers(vector: duckdb.Vector, values: OwnNumbers): void {
  duckdb.copy_data_to_vector(vector, 0, values.buffer, values.byteOffset, values.byteLength);
}

/** Fills the first rows of a vector of FLOAT[] or TINYINT[] with lists of equal length. @param values (n, d) */
export function writeLists(vector: duckdb.Vector, values: OwnVectors, dimension: number): void {
  const entries = BigUint64Array.from({ length: (2 * values.length) / dimension }, (_, index) =>
    BigInt(index % 2 === 0 ? (index / 2) * dimension : dimension),
  );
  duckdb.list_vector_reserve(vector, values.length);
  duckdb.list_vector_set_size(vector, values.length);
  duckdb.copy_data_to_vector(vector, 0, entries.buffer, 0, entries.byteLength);
  writeNumbers(duckdb.list_vector_get_child(vector), values);
}
