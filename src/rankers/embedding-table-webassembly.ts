/** The kernels of an embedding table in WebAssembly, with SIMD: what `kernels/embedding-table.ts` compiles to. */
import { readFileSync } from 'node:fs';
import { beta1, beta2 } from './embedding-table-adam.ts';
import { entriesFor, type Table, type TableKernels } from './embedding-table-kernels.ts';
import type { LinearMemory } from './linear-memory.ts';

let compiled: WebAssembly.Module | null = null;

/** Compiled once for all tables. */
function kernelModule(): WebAssembly.Module {
  compiled ??= new WebAssembly.Module(
    readFileSync(new URL('./kernels/embedding-table.wasm', import.meta.url)),
  );
  return compiled;
}

const names = [
  'describeTable',
  'describeSteps',
  'gather',
  'findDistinct',
  'sumGradients',
  'adagrad',
  'adam',
] as const;

type Exports = Readonly<Record<(typeof names)[number], (...numbers: number[]) => number>>;

function instantiate({ memory }: LinearMemory): Exports {
  const { exports } = new WebAssembly.Instance(kernelModule(), { env: { memory } });
  const own = (name: (typeof names)[number]) => {
    const found = exports[name];
    if (found === undefined) throw new Error(`the kernels have no ${name}`);
    return found;
  };
  return {
    describeTable: own('describeTable'),
    describeSteps: own('describeSteps'),
    gather: own('gather'),
    findDistinct: own('findDistinct'),
    sumGradients: own('sumGradients'),
    adagrad: own('adagrad'),
    adam: own('adam'),
  };
}

export class WebAssemblyKernels implements TableKernels {
  readonly #table: Table;
  readonly #exports: Exports;

  /** @param memory that all arrays of the table lie in */
  constructor(table: Table, memory: LinearMemory) {
    this.#table = table;
    this.#exports = instantiate(memory);
    const { options, start, arrays } = table;
    this.#exports.describeTable(
      ...[arrays.values.byteOffset, arrays.present.byteOffset, arrays.idle === null ? 0 : 1],
      ...[options.dimension, options.optimizer.slots, start.first, start.second, options.learningRate],
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
