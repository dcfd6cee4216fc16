/**
 * The embeddings of all ids, outside of the graph: a step reads and changes the rows of its batch, and costs
 * the same whatever the size of the table.
 *
 * A row takes 4 · E · (1 + slots) bytes and one bit, and with Adam the number of a step: 64.1 bytes for E = 8 with
 * Adagrad, 100.1 with Adam. It lies in one piece, its values before its slots, so that a step fetches each row once;
 * and the operating system gives memory for it when it is first looked up.
 *
 * Rows outside of a batch change too where the dense optimiser would change them, but only once they are read.
 */
import { CourierError } from '../errors.ts';
import type { Random } from '../random.ts';
import type { IdleRows } from './embedding-table-adam.ts';
import { drawStartKey, type StartKey, writeStart } from './embedding-table-start.ts';
import { GradientSums, paddingRow } from './embedding-table-sums.ts';
import type { SparseOptimizer } from './sparse-optimizers.ts';

export { paddingRow };

/** Numbers in a table at most: indices beyond 31 bits would be slow, and this is 8 GiB. */
const sizeLimit = 2 ** 31 - 1;

/** Rows that are asked for at a time, so that the processor waits for them together and not for one at a time. */
const block = 32;

export interface TableOptions {
  readonly rows: number;
  /** Length E of a row. */
  readonly dimension: number;
  readonly optimizer: SparseOptimizer;
  readonly learningRate: number;
  /** L2 penalty, added to the gradient of the rows that are touched. */
  readonly decay: number;
}

/** What a table has learned. Rows that were never looked up are left out: they are as they start. */
export interface TableState {
  readonly optimizer: SparseOptimizer['name'];
  readonly dimension: number;
  /** Updates so far. */
  readonly step: number;
  /** The rows that were looked up, ascending. (n) */
  readonly rows: Int32Array;
  /** Their values and slots. (n, 1 + slots, E) */
  readonly memory: Float32Array;
  /**
   * Updates after which each was last brought up to date; null where the optimiser leaves rows outside of a batch
   * alone. (n)
   */
  readonly current: Int32Array | null;
}

export class EmbeddingTable {
  readonly #options: TableOptions;
  readonly #start: StartKey;
  /** Numbers from one row to the next. */
  readonly #stride: number;
  /** (rows, 1 + slots, E) */
  readonly #memory: Float32Array;
  /** A bit for each row, set once its values have been written. */
  readonly #present: Int32Array;
  readonly #sums = new GradientSums();
  /** What the optimiser still has to do to rows; null if it never has. */
  readonly #idle: IdleRows | null;
  /** What `#fetch` read. Nobody looks at it, but reading without keeping would be optimised away. (block) */
  readonly #fetched = new Float32Array(block);
  #step = 0;

  /**
   * The time it takes does not depend on `rows`.
   * @param random gives a key from which, and from its own number, a row's first values follow
   * @throws CourierError LIMIT_EXCEEDED for a table that does not fit
   */
  constructor(options: TableOptions, random: Random) {
    this.#options = options;
    this.#start = drawStartKey(random);
    this.#stride = options.dimension * (1 + options.optimizer.slots);
    this.#memory = withinMemory(options, this.#stride, (length) => new Float32Array(length));
    this.#present = new Int32Array(Math.ceil(options.rows / 32));
    this.#present[0] = 1 << paddingRow;
    this.#idle = withinMemory(options, this.#stride, () => options.optimizer.idleRows?.(options) ?? null);
  }

  /** Length E of a row. */
  get dimension(): number {
    return this.#options.dimension;
  }

  /** The embeddings of these rows, which may repeat. (n) → (n, E) */
  gather(rows: Int32Array): Float32Array {
    const { dimension } = this.#options;
    const [memory, stride] = [this.#memory, this.#stride];
    const gathered = new Float32Array(rows.length * dimension);
    const reach = (this.#idle === null ? dimension : stride) - 1;
    for (let start = 0; start < rows.length; start += block) {
      const end = Math.min(start + block, rows.length);
      this.#fetch(rows, start, end, reach);
      for (let index = start; index < end; index++) {
        const from = rows[index]! * stride;
        const to = index * dimension;
        for (let place = 0; place < dimension; place++) gathered[to + place] = memory[from + place]!;
      }
    }
    return gathered;
  }

  /**
   * One optimiser step. The gradients of a row that occurs several times are summed first; rows that do not
   * occur have a gradient of zero. Padding stays zero.
   * @param rows as they were gathered. (n)
   * @param gradient of the loss with respect to what `gather` gave. (n, E)
   */
  update(rows: Int32Array, gradient: Float32Array): void {
    const { dimension, optimizer, learningRate, decay } = this.#options;
    const { distinct, count, sums } = this.#sums.of(rows, gradient, dimension);
    const step = { dimension, gradient: sums, step: ++this.#step, learningRate, decay };
    for (let start = 0; start < count; start += block) {
      const end = Math.min(start + block, count);
      this.#fetch(distinct, start, end, this.#stride - 1);
      optimizer.update(this.#memory, distinct, start, end, step);
    }
    this.#idle?.endStep(distinct, count);
  }

  /**
   * A copy of what was learned, as large as the rows that were looked up. Rows are copied as they are, up to date or
   * not: the table goes on as if nobody had asked, and so does one that the state is put into, to the same bits.
   */
  state(): TableState {
    const { optimizer, dimension } = this.#options;
    const [from, stride] = [this.#memory, this.#stride];
    const rows = this.#rowsPresent();
    const memory = new Float32Array(rows.length * stride);
    for (let index = 0, at = 0; index < rows.length; index++) {
      const end = (rows[index]! + 1) * stride;
      for (let value = end - stride; value < end; value++) memory[at++] = from[value]!;
    }
    const current = this.#idle?.currentOf(rows) ?? null;
    return { optimizer: optimizer.name, dimension, step: this.#step, rows, memory, current };
  }

  /** The embeddings of the rows that were looked up, as they are looked up: a state without slots. */
  values(): TableState {
    const rows = this.#rowsPresent();
    const { dimension } = this.#options;
    return { optimizer: 'none', dimension, step: 0, rows, memory: this.gather(rows), current: null };
  }

  /**
   * Puts a state back. It may be of a smaller table: rows behind its last one start afresh.
   * @throws CourierError CHECKPOINT_INVALID for a state of another dimension or optimiser, or of a larger table
   */
  restore(state: TableState): void {
    this.#requireFit(state);
    const { rows, memory, step, current } = state;
    const [to, present, stride] = [this.#memory, this.#present, this.#stride];
    present.fill(0);
    present[0] = 1 << paddingRow;
    for (let index = 0, at = 0; index < rows.length; index++) {
      const row = rows[index]!;
      present[row >>> 5]! |= 1 << (row & 31);
      const end = (row + 1) * stride;
      for (let value = end - stride; value < end; value++) to[value] = memory[at++]!;
    }
    this.#step = step;
    if (current !== null) this.#idle?.restore(step, rows, current);
  }

  #requireFit({ optimizer, dimension, rows }: TableState): void {
    const own = this.#options;
    if (dimension !== own.dimension) throw unfit(`rows of ${dimension} values`, `rows of ${own.dimension}`);
    if (optimizer !== own.optimizer.name) throw unfit(`the state of ${optimizer}`, own.optimizer.name);
    const last = rows.at(-1) ?? paddingRow;
    if (last >= own.rows) throw unfit(`${last + 1} rows or more`, `${own.rows} rows`);
  }

  /**
   * Begins rows that were never looked up, brings at most `block` rows from memory into the processor's cache (no
   * read needs another's result, so that they all wait at the same time), and then up to date.
   * @param reach distance from the first number of a row to the last that is needed
   */
  #fetch(rows: Int32Array, start: number, end: number, reach: number): void {
    const [memory, present, stride, fetched] = [this.#memory, this.#present, this.#stride, this.#fetched];
    for (let index = start; index < end; index++) {
      const row = rows[index]!;
      if ((present[row >>> 5]! & (1 << (row & 31))) === 0) this.#begin(row);
      fetched[index - start] = memory[row * stride]! + memory[row * stride + reach]!;
    }
    this.#idle?.catchUp(memory, rows, start, end);
  }

  /** Writes the values that a row starts with. Slots may hold what was there before a state was put back. */
  #begin(row: number): void {
    const { dimension, rows } = this.#options;
    if (row < 0 || row >= rows) throw new Error(`row ${row} is not one of the table's ${rows}`);
    const from = row * this.#stride;
    writeStart(this.#start, row, this.#memory, from, dimension);
    for (let slot = from + dimension; slot < from + this.#stride; slot++) this.#memory[slot] = 0;
    this.#present[row >>> 5]! |= 1 << (row & 31);
  }

  /** The rows whose bit is set, ascending, padding left out. */
  #rowsPresent(): Int32Array {
    const present = this.#present;
    let count = 0;
    for (const word of present) {
      for (let bits = word; bits !== 0; bits &= bits - 1) count++;
    }
    const rows = new Int32Array(count);
    for (let word = 0, at = 0; word < present.length; word++) {
      for (let bits = present[word]!; bits !== 0; bits &= bits - 1) {
        rows[at++] = 32 * word + 31 - Math.clz32(bits & -bits);
      }
    }
    return rows.subarray(1);
  }
}

/** What is made for a table of so many numbers. @throws CourierError LIMIT_EXCEEDED where there is no memory for it */
function withinMemory<Made>(
  { rows, dimension }: TableOptions,
  stride: number,
  make: (length: number) => Made,
): Made {
  const fits = rows * stride <= sizeLimit;
  try {
    if (fits) return make(rows * stride);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
  }
  const gibibytes = ((4 * rows * stride) / 2 ** 30).toFixed(1);
  throw new CourierError(
    'LIMIT_EXCEEDED',
    `An embedding table of ${rows} rows of ${dimension} values takes ${gibibytes} GiB, more than ${fits ? 'there is' : 'the 8 GiB a table may take'}.`,
    'Lower `embeddingDimension` or `idBuckets`, or raise `minimumCount`.',
  );
}

function unfit(has: string, wanted: string): CourierError {
  return new CourierError(
    'CHECKPOINT_INVALID',
    `The embeddings that were saved have ${has}, but the settings ask for ${wanted}.`,
    'Use the settings that it was trained with, or train anew.',
  );
}
