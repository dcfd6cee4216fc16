/** The kernels of an embedding table in WebAssembly, with SIMD: what `kernels/embedding-table.ts` compiles to. */
import { beta1, beta2 } from './embedding-table-adam.ts';
import { entriesFor, type Table, type TableKernels } from './embedding-table-kernels.ts';
import { type Kernels, kernelsOn } from './kernel-module.ts';
import type { LinearMemory } from './linear-memory.ts';
import { firstOf, wholeTable } from './table-shard.ts';

export class WebAssemblyKernels implements TableKernels {
  readonly #table: Table;
  readonly #exports: Kernels;

  /** @param memory that all arrays of the table lie in */
  constructor(table: Table, memory: LinearMemory) {
    this.#table = table;
    this.#exports = kernelsOn(memory);
    const { options, start, arrays } = table;
    const shard = options.shard ?? wholeTable;
    this.#exports.describeTable(
      ...[arrays.values.byteOffset, arrays.present.byteOffset, arrays.idle === null ? 0 : 1],
      ...[options.dimension, options.optimizer.slots, start.first, start.second],
      ...[shard.count, firstOf(shard), options.learningRate],
    );
  }

  gather(count: number): void {
    const { lookups, gathered } = this.#table.arrays;
    this.#describeSteps();
    this.#exports.gather(lookups.byteOffset, count, gathered.byteOffset);
  }

  findDistinct(count: number): number {
    const { places, entries, distinct } = this.#table.arrays;
    const bits = Math.log2(entriesFor(count));
    return this.#exports.findDistinct(
      ...[places.byteOffset, count, entries.byteOffset, bits, distinct.byteOffset],
    );
  }

  update(count: number, distinct: number, step: number): void {
    const { optimizer, learningRate, decay } = this.#table.options;
    const { places, gradient, sums, distinct: rows } = this.#table.arrays;
    this.#describeSteps();
    this.#exports.sumGradients(places.byteOffset, count, gradient.byteOffset, sums.byteOffset);
    const batch = [rows.byteOffset, distinct, sums.byteOffset] as const;
    if (optimizer.name === 'adagrad') this.#exports.adagrad(...batch, decay);
    else {
      const stepSize = learningRate / (1 - beta1 ** step);
      this.#exports.adam(...batch, stepSize, 1 / Math.sqrt(1 - beta2 ** step), decay);
    }
  }

  #describeSteps(): void {
    const { idle } = this.#table.arrays;
    if (idle === null) return;
    const { now, weights, epsilons, momentDecays, squareDecays } = idle;
    const at = [weights, epsilons, momentDecays, squareDecays].map(({ byteOffset }) => byteOffset);
    this.#exports.describeSteps(now, ...at);
  }
}
