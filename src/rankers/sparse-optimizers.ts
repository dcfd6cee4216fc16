/** Optimisers for single rows of a large table. The formulas are those of the graph's optimisers. */
import type { RankerConfig } from './config.ts';
import { beta1, beta2, epsilon, type IdleOptions, IdleRows } from './embedding-table-adam.ts';
import type { TableMemory } from './embedding-table-memory.ts';

/** What a step does to rows of E values. */
export interface SparseStep {
  /** E */
  readonly dimension: number;
  /** The summed gradient of each row, in the order of the rows. (n, E) */
  readonly gradient: Float32Array;
  /** t = 1, 2, … */
  readonly step: number;
  readonly learningRate: number;
  /** L2 penalty, added to the gradient. */
  readonly decay: number;
}

/** Numbers from a row of E values to the next: its slots, and where idle rows change the step after which it was up to date. */
export function strideOf({ slots, idleRows }: SparseOptimizer, dimension: number): number {
  return dimension * (1 + slots) + (idleRows === null ? 0 : 1);
}

export interface SparseOptimizer {
  readonly name: RankerConfig['tableOptimizer'] | 'none';
  /** Values of state per parameter, zero at the start. */
  readonly slots: number;
  /** Makes what brings rows up to date that took no part in a step; null if such a step does not change them. */
  readonly idleRows: ((table: IdleOptions, memory: TableMemory, values: Float32Array) => IdleRows) | null;
  /**
   * Changes rows and their state.
   * @param values all rows, each with its slots behind it. (rows, `strideOf`)
   * @param rows each once, of which those from `start` to before `end` are changed. (n)
   */
  update(values: Float32Array, rows: Int32Array, start: number, end: number, step: SparseStep): void;
}

/** Duchi et al. (2011). A gradient of zero changes nothing, so this equals the dense optimiser. */
const adagrad: SparseOptimizer = {
  name: 'adagrad',
  slots: 1,
  idleRows: null,
  update(values, rows, start, end, { dimension, gradient, learningRate, decay }) {
    for (let index = start, at = start * dimension; index < end; index++) {
      const from = rows[index]! * 2 * dimension;
      for (let value = from; value < from + dimension; value++) {
        const parameter = values[value]!;
        const g = gradient[at++]! + decay * parameter;
        const squares = values[value + dimension]! + g * g;
        values[value + dimension] = squares;
        values[value] = parameter - (learningRate * g) / (Math.sqrt(squares) + 1e-10);
      }
    }
  },
};

/**
 * Kingma and Ba (2015). With idle rows brought up to date before they are read, this equals the dense optimiser, but for
 * the penalty, which only rows of the batch pay.
 */
const adam: SparseOptimizer = {
  name: 'adam',
  slots: 2,
  idleRows: (table, memory, values) => new IdleRows(table, memory, values),
  update(values, rows, start, end, { dimension, gradient, step, learningRate, decay }) {
    const stepSize = learningRate / (1 - beta1 ** step);
    const scale = 1 / Math.sqrt(1 - beta2 ** step);
    for (let index = start, at = start * dimension; index < end; index++) {
      const from = rows[index]! * (3 * dimension + 1);
      for (let value = from; value < from + dimension; value++) {
        const parameter = values[value]!;
        const g = gradient[at++]! + decay * parameter;
        const m = beta1 * values[value + dimension]! + (1 - beta1) * g;
        const v = beta2 * values[value + 2 * dimension]! + (1 - beta2) * g * g;
        values[value + dimension] = m;
        values[value + 2 * dimension] = v;
        values[value] = parameter - (stepSize * m) / (Math.sqrt(v) * scale + epsilon);
      }
    }
  },
};

/** For a table that is only looked up. */
const none: SparseOptimizer = {
  name: 'none',
  slots: 0,
  idleRows: null,
  update() {
    throw new Error('a table without an optimiser cannot be trained');
  },
};

export const sparseOptimizers: Readonly<Record<SparseOptimizer['name'], SparseOptimizer>> = {
  adagrad,
  adam,
  none,
};
