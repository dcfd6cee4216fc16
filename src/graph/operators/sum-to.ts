/** The counterpart of broadcasting. */
import { type FloatTensor, type Shape, sameShape, sizeOf } from '../tensor.ts';
import { columnSums } from './matrix.ts';
import { sum } from './reduce.ts';
import { reshape } from './shape.ts';

/** Sums a gradient over the axes along which an operand of `shape` was repeated. */
export function sumTo(gradient: FloatTensor, shape: Shape): FloatTensor {
  if (sameShape(gradient.shape, shape)) return gradient;
  const extra = gradient.shape.length - shape.length;
  if (shape.length > 0 && sameShape(gradient.shape.slice(extra), shape)) {
    const rows = reshape(gradient, [sizeOf(gradient.shape) / sizeOf(shape), sizeOf(shape)]);
    return reshape(columnSums(rows), shape);
  }
  const axes = gradient.shape.flatMap((length, axis) =>
    axis < extra || (shape[axis - extra] === 1 && length !== 1) ? [axis] : [],
  );
  return reshape(axes.length === 0 ? gradient : sum(gradient, axes), shape);
}
