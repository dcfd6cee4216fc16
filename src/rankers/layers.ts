/** Layers that rankers share. */
import { add, concatenate, divide, linear, matmul, relu, reshape, sum } from '../graph/operators/index.ts';
import { glorot, zeros } from '../graph/parameters.ts';
import { type FloatTensor, parameter, scalar } from '../graph/tensor.ts';

/** x Wᵀ + b with new parameters: (…, I) → (…, outputs). */
export function dense(name: string, x: FloatTensor, outputs: number): FloatTensor {
  const weight = parameter(`${name}.weight`, [outputs, x.shape.at(-1) ?? 1], glorot);
  return linear(x, weight, parameter(`${name}.bias`, [outputs], zeros));
}

/** Hidden layers with ReLU: (…, I) → (…, widths.at(-1)). */
export function hiddenLayers(name: string, x: FloatTensor, widths: readonly number[]): FloatTensor {
  return widths.reduce((below, width, depth) => relu(dense(`${name}.${depth}`, below, width)), x);
}

/** Hidden layers with ReLU, then a linear one of width 1: (…, I) → (…, 1). */
export function multilayerPerceptron(name: string, x: FloatTensor, widths: readonly number[]): FloatTensor {
  return dense(`${name}.output`, hiddenLayers(name, x, widths), 1);
}

/** The parts that are there, side by side: (…, a), null, (…, b) → (…, a + b). */
export function join(parts: readonly (FloatTensor | null)[]): FloatTensor {
  const present = parts.filter((part) => part !== null);
  const [only] = present;
  return present.length === 1 && only !== undefined
    ? only
    : concatenate(present, (only?.shape.length ?? 1) - 1);
}

/** The mean over the filled places: (B, H, K), mask (B, H) → (B, K); zero for an empty history. */
export function maskedMean(history: FloatTensor, mask: FloatTensor): FloatTensor {
  const [batch, places, length] = history.shape;
  const total = matmul(reshape(mask, [batch!, 1, places!]), history);
  // An empty history has the sum zero already; one keeps its quotient zero.
  const count = add(sum(mask, [1]), scalar(1e-9));
  return divide(reshape(total, [batch!, length!]), reshape(count, [batch!, 1]));
}
