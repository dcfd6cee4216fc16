/** Optimisers for single rows of a large table. The formulas are those of the graph's optimisers. */
import type { RankerConfig } from './config.ts';

export interface SparseOptimizer {
  /** Values of state per parameter, zero at the start. */
  readonly slots: number;
  /**
   * Changes `length` parameters and their state from the gradient.
   * @param parameters changed from `offset` on, as is every slot
   * @param gradient read from `gradientOffset` on
   * @param step t = 1, 2, …
   */
  update(
    parameters: Float32Array,
    slots: readonly Float32Array[],
    offset: number,
    length: number,
    gradient: Float32Array,
    gradientOffset: number,
    step: number,
    learningRate: number,
  ): void;
}

/** Duchi et al. (2011). A row that is not touched does not change, so this equals the dense optimiser. */
const adagrad: SparseOptimizer = {
  slots: 1,
  update(parameters, slots, offset, length, gradient, gradientOffset, _step, learningRate) {
    const squares = slots[0]!;
    for (let i = 0; i < length; i++) {
      const g = gradient[gradientOffset + i]!;
      squares[offset + i]! += g * g;
      parameters[offset + i]! -= (learningRate * g) / (Math.sqrt(squares[offset + i]!) + 1e-10);
    }
  },
};

/** Adam (Kingma and Ba, 2015), lazy: the moments of a row rest while it is not touched. */
const adam: SparseOptimizer = {
  slots: 2,
  update(parameters, slots, offset, length, gradient, gradientOffset, step, learningRate) {
    const [m, v] = [slots[0]!, slots[1]!];
    const stepSize = learningRate / (1 - 0.9 ** step);
    const scale = 1 / Math.sqrt(1 - 0.999 ** step);
    for (let i = 0; i < length; i++) {
      const g = gradient[gradientOffset + i]!;
      m[offset + i] = 0.9 * m[offset + i]! + 0.1 * g;
      v[offset + i] = 0.999 * v[offset + i]! + 0.001 * g * g;
      parameters[offset + i]! -= (stepSize * m[offset + i]!) / (Math.sqrt(v[offset + i]!) * scale + 1e-8);
    }
  },
};

export const sparseOptimizers: Readonly<Record<RankerConfig['tableOptimizer'], SparseOptimizer>> = {
  adagrad,
  adam,
};
