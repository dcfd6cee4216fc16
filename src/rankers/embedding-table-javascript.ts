/**
 * The kernels of an embedding table in JavaScript: for tables that are too large for WebAssembly's memory, and what its
 * kernels are held to, bit by bit.
 */
import { entriesFor, paddingRow, type Table, type TableKernels } from './embedding-table-kernels.ts';
import { writeStart } from './embedding-table-start.ts';
import { strideOf } from './sparse-optimizers.ts';
import { rowInTable, wholeTable } from './table-shard.ts';

/** Rows that are asked for at a time, so that the processor waits for them together and not for one at a time. */
const block = 32;

export class JavaScriptKernels implements TableKernels {
  readonly #table: Table;
  /** Numbers from one row to the next. */
  readonly #stride: number;
  /** What `#fetch` read. Nobody looks at it, but reading without keeping would be optimised away. (block) */
  readonly #fetched = new Float32Array(block);

  constructor(table: Table) {
    this.#table = table;
    this.#stride = strideOf(table.options.optimizer, table.options.dimension);
  }

  gather(count: number): void {
    const { lookups, values, gathered, idle } = this.#table.arrays;
    const { dimension } = this.#table.options;
    const reach = (idle === null ? dimension : this.#stride) - 1;
    for (let start = 0; start < count; start += block) {
      const end = Math.min(start + block, count);
      this.#fetch(lookups, start, end, reach);
      for (let index = start; index < end; index++) {
        const from = lookups[index]! * this.#stride;
        const to = index * dimension;
        for (let place = 0; place < dimension; place++) gathered[to + place] = values[from + place]!;
      }
    }
  }

  findDistinct(count: number): number {
    const { places, entries, distinct } = this.#table.arrays;
    const length = 2 * entriesFor(count);
    entries.fill(paddingRow, 0, length);
    const shift = Math.clz32(length / 2 - 1);
    let found = 0;
    for (let index = 0; index < count; index++) {
      const row = places[index]!;
      if (row === paddingRow) {
        places[index] = -1;
        continue;
      }
      // Multiplicative hashing (Knuth): the upper bits of the product depend on all bits of the row.
      let entry = 2 * (Math.imul(row, 0x9e3779b1) >>> shift);
      while (entries[entry] !== row && entries[entry] !== paddingRow) entry = (entry + 2) & (length - 1);
      if (entries[entry] === paddingRow) {
        entries[entry] = row;
        entries[entry + 1] = found;
        distinct[found++] = row;
      }
      places[index] = entries[entry + 1]!;
    }
    return found;
  }

  update(count: number, distinct: number, step: number): void {
    const { arrays, options } = this.#table;
    const { values, idle, sums } = arrays;
    const { dimension, learningRate, decay, optimizer } = options;
    this.#sumGradients(count);
    for (let start = 0; start < distinct; start += block) {
      const end = Math.min(start + block, distinct);
      this.#fetch(arrays.distinct, start, end, this.#stride - 1);
      const options = { dimension, gradient: sums, step, learningRate, decay };
      optimizer.update(values, arrays.distinct, start, end, options);
    }
    idle?.takePart(arrays.distinct, distinct);
  }

  /** Places were given in ascending order. */
  #sumGradients(count: number): void {
    const { places, gradient, sums } = this.#table.arrays;
    const { dimension } = this.#table.options;
    let next = 0;
    for (let index = 0; index < count; index++) {
      const place = places[index]!;
      if (place < 0) continue;
      const from = index * dimension;
      const to = place * dimension;
      if (place === next) {
        next++;
        for (let value = 0; value < dimension; value++) sums[to + value] = gradient[from + value]!;
      } else {
        for (let value = 0; value < dimension; value++) sums[to + value]! += gradient[from + value]!;
      }
    }
  }

  /**
   * Begins rows that were never looked up, brings at most `block` rows from memory into the processor's cache (no
   * read needs another's result, so that they all wait at the same time), and then up to date.
   * @param reach distance from the first number of a row to the last that is needed
   */
  #fetch(rows: Int32Array, start: number, end: number, reach: number): void {
    const { values, present, idle } = this.#table.arrays;
    const [stride, fetched] = [this.#stride, this.#fetched];
    for (let index = start; index < end; index++) {
      const row = rows[index]!;
      if ((present[row >>> 5]! & (1 << (row & 31))) === 0) this.#begin(row);
      fetched[index - start] = values[row * stride]! + values[row * stride + reach]!;
    }
    idle?.catchUp(values, rows, start, end);
  }

  /** Writes the values that a row starts with. Slots may hold what was there before a state was put back. */
  #begin(row: number): void {
    const { start, options, arrays } = this.#table;
    const from = row * this.#stride;
    const id = rowInTable(row, options.shard ?? wholeTable);
    writeStart(start, id, arrays.values, from, options.dimension);
    arrays.values.fill(0, from + options.dimension, from + this.#stride);
    arrays.idle?.begin(row);
    arrays.present[row >>> 5]! |= 1 << (row & 31);
  }
}
