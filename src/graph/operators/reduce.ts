/** Sums, means and their like along axes. */
import { apply, only, operator } from '../operator.ts';
import { type FloatTensor, integers, normalizeAxis, type Shape, scalar } from '../tensor.ts';
import { multiply } from './elementwise.ts';
import { broadcastLike, reshape } from './shape.ts';

/** The shape with the axes kept as 1. */
function kept(shape: Shape, axes: readonly number[]): Shape {
  return shape.map((length, axis) => (axes.includes(axis) ? 1 : length));
}

function reduce(
  type: string,
  x: FloatTensor,
  axes: readonly number[],
  gradient: ((g: FloatTensor) => FloatTensor) | null,
) {
  return apply(
    {
      type,
      inputs: [x, integers(axes)],
      attributes: { keepdims: { kind: 'int', value: 1 } },
      gradient: gradient === null ? null : (outputs) => [gradient(only(outputs)), null],
    },
    'float32',
    kept(x.shape, axes),
  );
}

/** Sum along axes, which stay as length 1. */
export const sum = operator('sum', (x: FloatTensor, axes: readonly number[]): FloatTensor => {
  const normal = axes.map((axis) => normalizeAxis(axis, x.shape.length));
  return reduce('ReduceSum', x, normal, (g) => broadcastLike(g, x));
});

/** Mean along axes, which stay as length 1. */
export const mean = operator('mean', (x: FloatTensor, axes: readonly number[]): FloatTensor => {
  const normal = axes.map((axis) => normalizeAxis(axis, x.shape.length));
  const count = normal.reduce((product, axis) => product * x.shape[axis]!, 1);
  return reduce('ReduceMean', x, normal, (g) => broadcastLike(multiply(g, scalar(1 / count)), x));
});

/**
 * log Σ exp(x) along the last axis, which stays as length 1; safe for large values. As max x less the logarithm of the largest
 * share that softmax gives, 1 / Σ exp(x − max x): many times faster in ONNX Runtime than ReduceLogSumExp, and the shares are
 * the gradient.
 */
export const logSumExp = operator('logSumExp', (x: FloatTensor): FloatTensor => {
  const along = { axis: { kind: 'int', value: -1 } } as const;
  const shares = apply(
    { type: 'Softmax', inputs: [x], attributes: along, gradient: null },
    'float32',
    x.shape,
  );
  const last = [x.shape.length - 1];
  // All of the gradient goes this way: what the maximum itself does cancels.
  const largest = reduce('ReduceMax', x, last, (g) => multiply(g, shares));
  const share = reduce('ReduceMax', shares, last, null);
  const rest = apply({ type: 'Log', inputs: [share], gradient: null }, 'float32', share.shape);
  return apply(
    { type: 'Sub', inputs: [largest, rest], gradient: (outputs) => [only(outputs), null] },
    'float32',
    largest.shape,
  );
});

/** Sum of all values, shape []. */
export function sumAll(x: FloatTensor): FloatTensor {
  return reshape(
    sum(
      x,
      x.shape.map((_, axis) => axis),
    ),
    [],
  );
}
