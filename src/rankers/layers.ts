/** Layers that rankers share. */
import {
  add,
  concatenate,
  divide,
  linear,
  matmul,
  relu,
  reshape,
  split,
  sum,
  transpose,
} from '../graph/operators/index.ts';
import { glorot, zeros } from '../graph/parameters.ts';
import { type FloatTensor, parameter, scalar, sizeOf } from '../graph/tensor.ts';

/** x Wᵀ + b with new parameters: (…, I) → (…, outputs). */
export function dense(name: string, x: FloatTensor, outputs: number): FloatTensor {
  const weight = parameter(`${name}.weight`, [outputs, x.shape.at(-1) ?? 1], glorot);
  return linear(x, weight, parameter(`${name}.bias`, [outputs], zeros));
}

/**
 * x Wᵀ with a new parameter, x being the parts side by side: (…, a), (…, b) → (…, outputs). Each part is multiplied
 * by its own columns of W, so that large parts are not copied: neither they nor, on the way back, their gradients.
 */
export function projectParts(name: string, parts: readonly FloatTensor[], outputs: number): FloatTensor {
  const lengths = parts.map((part) => part.shape.at(-1) ?? 1);
  const weight = parameter(`${name}.weight`, [outputs, lengths.reduce((a, b) => a + b, 0)], glorot);
  // Transposed at first: a gradient is partᵀ g then, which ONNX Runtime computes faster than gᵀ part.
  const transposed = transpose(weight, [1, 0]);
  const blocks = parts.length === 1 ? [transposed] : split(transposed, lengths, 0);
  const rows = parts.map((part, index) => inPieces(part, lengths[index]!));
  const projected = rows.map((part, index) => matmul(part, blocks[index]!)).reduce(add);
  return reshape(projected, [...(parts[0]?.shape.slice(0, -1) ?? []), outputs]);
}

/** Rows of a piece at least: fewer make products too small. */
const pieceRows = 2048;

/**
 * Rows in pieces: (…, K) → (n, K), or (p, n / p, K) of many. A gradient of weights has few values and a sum over all rows
 * each, which ONNX Runtime gives to one thread; pieces are products of their own, whose sum is taken afterwards.
 */
function inPieces(part: FloatTensor, length: number): FloatTensor {
  const count = sizeOf(part.shape) / length;
  let pieces = 1;
  while (pieces < 8 && count % (2 * pieces) === 0 && count >= 2 * pieces * pieceRows) pieces *= 2;
  return reshape(part, pieces === 1 ? [count, length] : [pieces, count / pieces, length]);
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
