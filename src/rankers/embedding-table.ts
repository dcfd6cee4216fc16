/**
 * The embeddings of all ids, outside of the graph: a step reads and changes the rows of its batch, and costs
 * the same whatever the size of the table.
 *
 * A row takes 4 · E · (1 + slots) bytes and one bit, and with Adam the number of a step: 64.1 bytes for E = 8 with
 * Adagrad, 100.1 with Adam. It lies in one piece, its values before its slots and that number last, so that a step
 * fetches each row once; and the operating system gives memory for it when it is first looked up.
 *
 * Rows outside of a batch change too where the dense optimiser would change them, but only once they are read.
 */
import { CourierError } from '../errors.ts';
import type { Random } from '../random.ts';
import { JavaScriptKernels } from './embedding-table-javascript.ts';
import {
  bytesOf,
  createArrays,
  paddingRow,
  type TableArrays,
  type TableKernels,
  type TableOptions,
} from './embedding-table-kernels.ts';
import { separateArrays } from './embedding-table-memory.ts';
import { drawStartKey, type StartKey } from './embedding-table-start.ts';
import { WebAssemblyKernels } from './embedding-table-webassembly.ts';
import { LinearMemory } from './linear-memory.ts';
import type { Prepared, RankerTable, TableState } from './ranker-table.ts';
import { strideOf } from './sparse-optimizers.ts';

export type { Prepared, TableState } from './ranker-table.ts';
export { paddingRow, type TableOptions };

/** Numbers in a table at most: indices beyond 31 bits would be slow, and this is 8 GiB. */
const sizeLimit = 2 ** 31 - 1;

/**
 * Bytes of a table that WebAssembly works on, at most: less than the 4 GiB that it reaches, so that there is room for what
 * Adam notes of each step.
 */
const webAssemblyLimit = 2 ** 32 - 2 ** 28;

export class EmbeddingTable implements RankerTable {
  readonly #options: TableOptions;
  /** Numbers from one row to the next. */
  readonly #stride: number;
  /** Numbers of a row that are learned: its values and slots. */
  readonly #learned: number;
  readonly #arrays: TableArrays;
  readonly #kernels: TableKernels;
  #prepared: Prepared | null = null;
  #step = 0;

  /**
   * The time it takes does not depend on `rows`.
   * @param random gives a key from which, and from its own number, a row's first values follow
   * @param byWebAssembly whether its kernels work on the table; by default wherever it fits into their memory. What comes
   * out is the same, to the last bit.
   * @throws CourierError LIMIT_EXCEEDED for a table that does not fit
   */
  constructor(options: TableOptions, random: Random, byWebAssembly = bytesOf(options) <= webAssemblyLimit) {
    this.#options = options;
    this.#stride = strideOf(options.optimizer, options.dimension);
    this.#learned = options.dimension * (1 + options.optimizer.slots);
    const start = drawStartKey(random);
    const { arrays, kernels } = withinMemory(options, this.#stride, () => {
      return byWebAssembly ? inWebAssembly(options, start) : inJavaScript(options, start);
    });
    arrays.present[0] = 1 << paddingRow;
    [this.#arrays, this.#kernels] = [arrays, kernels];
  }

  /** Length E of a row. */
  get dimension(): number {
    return this.#options.dimension;
  }

  /** The embeddings of these rows, which may repeat and be any number. (n) → (n, E) */
  gather(rows: Int32Array): Float32Array {
    const { dimension, lookups } = this.#options;
    const gathered = new Float32Array(rows.length * dimension);
    for (let from = 0; from < rows.length; from += lookups) {
      gathered.set(this.lookUp(rows.subarray(from, from + lookups)), from * dimension);
    }
    return gathered;
  }

  /** Nothing is to be done for rows that are here. */
  announce(): void {}

  /**
   * The embeddings of the rows of a batch, which may repeat. (n) → (n, E)
   * @returns the table's own memory, which holds them until the next look
   */
  lookUp(rows: Int32Array): Float32Array {
    const { lookups, gathered } = this.#arrays;
    this.#admit(rows, lookups);
    this.#kernels.gather(rows.length);
    return gathered.subarray(0, rows.length * this.#options.dimension);
  }

  /**
   * The part of an update that does not depend on the gradient: it may be done while that is computed. Only the last one that
   * was prepared can be made.
   * @param rows as they were looked up. (n)
   */
  prepareUpdate(rows: Int32Array): Prepared {
    this.#admit(rows, this.#arrays.places);
    this.#prepared = { lookups: rows.length, distinct: this.#kernels.findDistinct(rows.length) };
    return this.#prepared;
  }

  /**
   * Where the gradient of an update may be written, so that it is not copied. It is the table's own memory. (n, E)
   * @param lookups n
   */
  roomForGradient(lookups: number): Float32Array {
    return this.#arrays.gradient.subarray(0, lookups * this.#options.dimension);
  }

  /**
   * One optimiser step. The gradients of a row that occurs several times are summed first; rows that do not
   * occur have a gradient of zero. Padding stays zero.
   * @param gradient of the loss with respect to what `lookUp` gave. (n, E)
   */
  update(prepared: Prepared, gradient: Float32Array): void {
    const { lookups, distinct } = prepared;
    if (prepared !== this.#prepared) throw new Error('the update was not the last one to be prepared');
    if (gradient.length !== lookups * this.#options.dimension)
      throw new Error(`a gradient of ${gradient.length} values for ${lookups} lookups`);
    this.#prepared = null;
    const own = this.#arrays.gradient;
    if (gradient.buffer !== own.buffer || gradient.byteOffset !== own.byteOffset) own.set(gradient);
    this.#kernels.update(lookups, distinct, ++this.#step);
    this.#arrays.idle?.endStep();
  }

  /**
   * A copy of what was learned, as large as the rows that were looked up. Rows are copied as they are, up to date or
   * not: the table goes on as if nobody had asked, and so does one that the state is put into, to the same bits.
   */
  state(): TableState {
    const { optimizer, dimension } = this.#options;
    const { values } = this.#arrays;
    const rows = this.#rowsPresent();
    const memory = new Float32Array(rows.length * this.#learned);
    for (let index = 0, at = 0; index < rows.length; index++) {
      const from = rows[index]! * this.#stride;
      for (let value = from; value < from + this.#learned; value++) memory[at++] = values[value]!;
    }
    const current = this.#arrays.idle?.currentOf(rows) ?? null;
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
    const { values, present, idle } = this.#arrays;
    present.fill(0);
    present[0] = 1 << paddingRow;
    for (let index = 0, at = 0; index < rows.length; index++) {
      const row = rows[index]!;
      present[row >>> 5]! |= 1 << (row & 31);
      const from = row * this.#stride;
      for (let value = from; value < from + this.#learned; value++) values[value] = memory[at++]!;
    }
    this.#step = step;
    if (current !== null) idle?.restore(step, rows, current);
    idle?.begin(paddingRow);
  }

  #requireFit({ optimizer, dimension, rows }: TableState): void {
    const own = this.#options;
    if (dimension !== own.dimension) throw unfit(`rows of ${dimension} values`, `rows of ${own.dimension}`);
    if (optimizer !== own.optimizer.name) throw unfit(`the state of ${optimizer}`, own.optimizer.name);
    const last = rows.at(-1) ?? paddingRow;
    if (last >= own.rows) throw unfit(`${last + 1} rows or more`, `${own.rows} rows`);
  }

  /** Copies row numbers to where the kernels find them, if they are all the table's. */
  #admit(rows: Int32Array, to: Int32Array): void {
    const count = this.#options.rows;
    if (rows.length > to.length)
      throw new Error(`${rows.length} lookups, and there is room for ${to.length}`);
    for (let index = 0; index < rows.length; index++) {
      const row = rows[index]!;
      if (row < 0 || row >= count) throw new Error(`row ${row} is not one of the table's ${count}`);
      to[index] = row;
    }
  }

  /** The rows that were looked up, ascending. */
  #rowsPresent(): Int32Array {
    return this.#rowsBegun().subarray(1);
  }

  /** The rows whose bit is set, ascending, padding first. */
  #rowsBegun(): Int32Array {
    const { present } = this.#arrays;
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
    return rows;
  }
}

interface TableParts {
  readonly arrays: TableArrays;
  readonly kernels: TableKernels;
}

function inWebAssembly(options: TableOptions, start: StartKey): TableParts {
  const memory = new LinearMemory();
  const arrays = createArrays(options, memory);
  return { arrays, kernels: new WebAssemblyKernels({ options, start, arrays }, memory) };
}

function inJavaScript(options: TableOptions, start: StartKey): TableParts {
  const arrays = createArrays(options, separateArrays);
  return { arrays, kernels: new JavaScriptKernels({ options, start, arrays }) };
}

/** Whether a table may have so many numbers. */
export function fitsOneProcess({
  rows,
  dimension,
  optimizer,
}: Pick<TableOptions, 'rows' | 'dimension' | 'optimizer'>): boolean {
  return rows * strideOf(optimizer, dimension) <= sizeLimit;
}

/** What is made for a table. @throws CourierError LIMIT_EXCEEDED where there is no memory for it */
function withinMemory<Made>(options: TableOptions, stride: number, make: () => Made): Made {
  const { rows, dimension } = options;
  const fits = fitsOneProcess(options);
  try {
    if (fits) return make();
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
  }
  const gibibytes = ((4 * rows * stride) / 2 ** 30).toFixed(1);
  throw new CourierError(
    'LIMIT_EXCEEDED',
    `An embedding table of ${rows} rows of ${dimension} values takes ${gibibytes} GiB, more than ${fits ? 'there is' : 'the 8 GiB a table may take'}.`,
    'Lower `embeddingDimension` or `idBuckets`, raise `minimumCount`, or start `rank` in more processes.',
  );
}

function unfit(has: string, wanted: string): CourierError {
  return new CourierError(
    'CHECKPOINT_INVALID',
    `The embeddings that were saved have ${has}, but the settings ask for ${wanted}.`,
    'Use the settings that it was trained with, or train anew.',
  );
}
