/** Sums, means and their like along axes. */
import { apply, only, operator } from '../operator.ts';
import { type FloatTensor, integers, normalizeAxis, type Shape, scalar } from '../tensor.ts';
import { exponential, multiply, subtract } from './elementwise.ts';
import { broadcastLike, reshape } from './shape.ts';

/** The shape with the axes kept as 1. */
function kept(shape: Shape, axes: readonly number[]): Shape {
  return shape.map((length, axis) => (axes.includes(axis) ? 1 : length));
}

function reduce(
  type: string,
  x: FloatTensor,
  axes: readonly number[],
  gradient: (g: FloatTensor) => FloatTensor,
) {
  return apply(
    {
      type,
      inputs: [x, integers(axes)],
      attributes: { keepdims: { kind: 'int', value: 1 } },
      gradient: (outputs) => [gradient(only(outputs)), null],
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

/** log Σ exp(x) along axes, which stay as length 1; safe for large values. */
export const logSumExp = operator('logSumExp', (x: FloatTensor, axes: readonly number[]): FloatTensor => {
  const normal = axes.map((axis) => normalizeAxis(axis, x.shape.length));
  const output: FloatTensor = reduce('ReduceLogSumExp', x, normal, (g) =>
    multiply(g, exponential(subtract(x, output))),
  );
  return output;
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
