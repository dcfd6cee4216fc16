/**
 * The embeddings of all ids, outside of the graph: a step reads and changes the rows of its batch, and costs
 * the same whatever the size of the table.
 */
import type { Random } from '../random.ts';
import type { SparseOptimizer } from './sparse-optimizers.ts';

/** The row that stands for an empty place. It is zero and stays so. */
export const paddingRow = 0;

/** Deviation of fresh embeddings: small, so that an id starts with almost no opinion. */
const initialDeviation = 0.01;

interface TableOptions {
  readonly rows: number;
  /** Length E of a row. */
  readonly dimension: number;
  readonly optimizer: SparseOptimizer;
  readonly learningRate: number;
  /** L2 penalty, added to the gradient of the rows that are touched. */
  readonly decay: number;
}

export class EmbeddingTable {
  readonly #options: TableOptions;
  readonly #values: Float32Array;
  readonly #slots: readonly Float32Array[];
  /** Where a row's gradient is summed up during an update, −1 outside of one. (rows) */
  readonly #place: Int32Array;
  #step = 0;

  constructor(options: TableOptions, random: Random) {
    const { rows, dimension, optimizer } = options;
    this.#options = options;
    this.#values = Float32Array.from({ length: rows * dimension }, () => initialDeviation * random.normal());
    this.#values.fill(0, paddingRow * dimension, (paddingRow + 1) * dimension);
    this.#slots = Array.from({ length: optimizer.slots }, () => new Float32Array(rows * dimension));
    this.#place = new Int32Array(rows).fill(-1);
  }

  /** Length E of a row. */
  get dimension(): number {
    return this.#options.dimension;
  }

  /** The embeddings of these rows, which may repeat. (n) → (n, E) */
  gather(rows: Int32Array): Float32Array {
    const { dimension } = this.#options;
    const values = this.#values;
    const gathered = new Float32Array(rows.length * dimension);
    for (let index = 0, to = 0; index < rows.length; index++) {
      const from = rows[index]! * dimension;
      for (let i = 0; i < dimension; i++) gathered[to++] = values[from + i]!;
    }
    return gathered;
  }

  /**
   * One optimiser step. The gradients of a row that occurs several times are summed first; rows that do not
   * occur, and padding, stay bit by bit as they are.
   * @param rows as they were gathered. (n)
   * @param gradient of the loss with respect to what `gather` gave. (n, E)
   */
  update(rows: Int32Array, gradient: Float32Array): void {
    const { dimension, optimizer, learningRate, decay } = this.#options;
    const values = this.#values;
    const { distinct, sums } = this.#sumPerRow(rows, gradient);
    this.#step++;
    for (let place = 0; place < distinct.length; place++) {
      const from = distinct[place]! * dimension;
      const at = place * dimension;
      for (let i = 0; i < dimension; i++) sums[at + i]! += decay * values[from + i]!;
      optimizer.update(values, this.#slots, from, dimension, sums, at, this.#step, learningRate);
    }
  }

  /** A copy of all embeddings. (rows, E) */
  snapshot(): Float32Array {
    return this.#values.slice();
  }

  /** Puts a snapshot back. The optimiser's state stays. */
  restore(snapshot: Float32Array): void {
    this.#values.set(snapshot);
  }

  #sumPerRow(rows: Int32Array, gradient: Float32Array): { distinct: Int32Array; sums: Float32Array } {
    const { dimension } = this.#options;
    const places = this.#place;
    const distinct = new Int32Array(rows.length);
    let count = 0;
    for (let index = 0; index < rows.length; index++) {
      const row = rows[index]!;
      if (row === paddingRow || places[row] !== -1) continue;
      places[row] = count;
      distinct[count++] = row;
    }
    const sums = new Float32Array(count * dimension);
    for (let index = 0, from = 0; index < rows.length; index++, from += dimension) {
      if (rows[index] === paddingRow) continue;
      const at = places[rows[index]!]! * dimension;
      for (let i = 0; i < dimension; i++) sums[at + i]! += gradient[from + i]!;
    }
    const touched = distinct.subarray(0, count);
    for (const row of touched) places[row] = -1;
    return { distinct: touched, sums };
  }
}
