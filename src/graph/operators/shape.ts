/** Operators that move values without changing them. */
import { apply, applyMany, only, operator } from '../operator.ts';
import {
  type DataType,
  type FloatTensor,
  integers,
  normalizeAxis,
  type Shape,
  sameShape,
  scalar,
  sizeOf,
  type Tensor,
} from '../tensor.ts';
import { sumTo } from './reduce.ts';

/**
 * The same values under another shape. In the ONNX file the leading length is left open (−1), so a graph in
 * which the batch leads everywhere also runs on batches of another size.
 */
export const reshape = operator('reshape', <T extends DataType>(x: Tensor<T>, shape: Shape): Tensor<T> => {
  if (sizeOf(shape) !== sizeOf(x.shape)) throw new Error(`[${x.shape}] cannot become [${shape}]`);
  if (sameShape(shape, x.shape)) return x;
  const target = shape.length === 0 ? [] : [-1, ...shape.slice(1)];
  return apply(
    {
      type: 'Reshape',
      inputs: [x, integers(target)],
      gradient: (outputs) => [reshape(only(outputs), x.shape), null],
    },
    x.type,
    shape,
  );
});

/** Axes in another order: output axis i is input axis order[i]. */
export const transpose = operator(
  'transpose',
  <T extends DataType>(x: Tensor<T>, order: readonly number[]): Tensor<T> => {
    const inverse = order.map((_, axis) => order.indexOf(axis));
    return apply(
      {
        type: 'Transpose',
        inputs: [x],
        attributes: { perm: { kind: 'ints', value: order } },
        gradient: (outputs) => [transpose(only(outputs), inverse)],
      },
      x.type,
      order.map((axis) => x.shape[axis]!),
    );
  },
);

/**
 * Repeats along the axes of length 1, and along new leading axes. Axes that are not repeated are written
 * as 1, which ONNX reads as "keep", so that an open leading axis stays open.
 */
export const broadcastTo = operator('broadcastTo', (x: FloatTensor, shape: Shape): FloatTensor => {
  if (sameShape(x.shape, shape)) return x;
  const added = shape.length - x.shape.length;
  const target = shape.map((length, axis) => (x.shape[axis - added] === length ? 1 : length));
  return apply(
    {
      type: 'Expand',
      inputs: [x, integers(target)],
      gradient: (outputs) => [sumTo(only(outputs), x.shape), null],
    },
    'float32',
    shape,
  );
});

/** Tensors one after the other along an axis. */
export const concatenate = operator(
  'concatenate',
  (parts: readonly FloatTensor[], axis: number): FloatTensor => {
    const [first] = parts;
    if (first === undefined) throw new Error('nothing to concatenate');
    const along = normalizeAxis(axis, first.shape.length);
    const lengths = parts.map((part) => part.shape[along]!);
    const total = lengths.reduce((a, b) => a + b, 0);
    return apply(
      {
        type: 'Concat',
        inputs: parts,
        attributes: { axis: { kind: 'int', value: along } },
        gradient: (outputs) => split(only(outputs), lengths, along),
      },
      'float32',
      first.shape.map((length, index) => (index === along ? total : length)),
    );
  },
);

/** A tensor cut along an axis into parts of the given lengths. */
export const split = operator(
  'split',
  (x: FloatTensor, lengths: readonly number[], axis: number): readonly FloatTensor[] => {
    const along = normalizeAxis(axis, x.shape.length);
    const shapes = lengths.map((length) => x.shape.map((other, index) => (index === along ? length : other)));
    return applyMany(
      {
        type: 'Split',
        inputs: [x, integers(lengths)],
        attributes: { axis: { kind: 'int', value: along } },
        gradient: (outputs) => {
          const parts = outputs.map((part, index) => part ?? broadcastTo(scalar(0), shapes[index]!));
          return [concatenate(parts, along), null];
        },
      },
      shapes,
    );
  },
);
