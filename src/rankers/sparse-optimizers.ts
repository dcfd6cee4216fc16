/** Optimisers for single rows of a large table. The formulas are those of the graph's optimisers. */
import type { RankerConfig } from './config.ts';

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

export interface SparseOptimizer {
  readonly name: RankerConfig['tableOptimizer'];
  /** Values of state per parameter, zero at the start. */
  readonly slots: number;
  /**
   * Changes rows and their state.
   * @param memory all rows, each with its slots behind it: (rows, 1 + slots, E)
   * @param rows each once, of which those from `start` to before `end` are changed. (n)
   */
  update(memory: Float32Array, rows: Int32Array, start: number, end: number, step: SparseStep): void;
}

/** Duchi et al. (2011). A row that is not touched does not change, so this equals the dense optimiser. */
const adagrad: SparseOptimizer = {
  name: 'adagrad',
  slots: 1,
  update(memory, rows, start, end, { dimension, gradient, learningRate, decay }) {
    for (let index = start, at = start * dimension; index < end; index++) {
      const from = rows[index]! * 2 * dimension;
      for (let value = from; value < from + dimension; value++) {
        const parameter = memory[value]!;
        const g = gradient[at++]! + decay * parameter;
        const squares = memory[value + dimension]! + g * g;
        memory[value + dimension] = squares;
        memory[value] = parameter - (learningRate * g) / (Math.sqrt(squares) + 1e-10);
      }
    }
  },
};

/** Adam (Kingma and Ba, 2015), lazy: the moments of a row rest while it is not touched. */
const adam: SparseOptimizer = {
  name: 'adam',
  slots: 2,
  update(memory, rows, start, end, { dimension, gradient, step, learningRate, decay }) {
    const stepSize = learningRate / (1 - 0.9 ** step);
    const scale = 1 / Math.sqrt(1 - 0.999 ** step);
    for (let index = start, at = start * dimension; index < end; index++) {
      const from = rows[index]! * 3 * dimension;
      for (let value = from; value < from + dimension; value++) {
        const parameter = memory[value]!;
        const g = gradient[at++]! + decay * parameter;
        const m = 0.9 * memory[value + dimension]! + 0.1 * g;
        const v = 0.999 * memory[value + 2 * dimension]! + 0.001 * g * g;
        memory[value + dimension] = m;
        memory[value + 2 * dimension] = v;
        memory[value] = parameter - (stepSize * m) / (Math.sqrt(v) * scale + 1e-8);
      }
    }
  },
};

export const sparseOptimizers: Readonly<Record<RankerConfig['tableOptimizer'], SparseOptimizer>> = {
  adagrad,
  adam,
};
