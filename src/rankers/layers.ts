/** Layers that rankers share. */
import { linear, relu } from '../graph/operators/index.ts';
import { glorot, zeros } from '../graph/parameters.ts';
import { type FloatTensor, parameter } from '../graph/tensor.ts';

/** x Wᵀ + b with new parameters: (…, I) → (…, outputs). */
export function dense(name: string, x: FloatTensor, outputs: number): FloatTensor {
  const weight = parameter(`${name}.weight`, [outputs, x.shape.at(-1) ?? 1], glorot);
  return linear(x, weight, parameter(`${name}.bias`, [outputs], zeros));
}

/** Hidden layers with ReLU, then a linear one of width 1: (…, I) → (…, 1). */
export function multilayerPerceptron(name: string, x: FloatTensor, widths: readonly number[]): FloatTensor {
  const hidden = widths.reduce((below, width, depth) => relu(dense(`${name}.${depth}`, below, width)), x);
  return dense(`${name}.output`, hidden, 1);
}
