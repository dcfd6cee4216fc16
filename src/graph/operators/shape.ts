/** Operators that move values without changing them. */

import type { DataType } from '../../runtime/model.ts';
import { apply, applyMany, only, operator } from '../operator.ts';
import {
  type FloatTensor,
  integers,
  normalizeAxis,
  type Shape,
  sameShape,
  sizeOf,
  type Tensor,
} from '../tensor.ts';

/** Where the axis lies whose length may differ from run to run: before a reshape, and after it. */
interface OpenAxes {
  readonly from: number;
  readonly to: number;
}

/**
 * The same values under another shape. In the ONNX file the length of the open axis is left open (−1), by default
 * that of the leading one, so a graph in which the batch leads everywhere also runs on batches of another size.
 */
export const reshape = operator(
  'reshape',
  <T extends DataType>(
    x: Tensor<T>,
    shape: Shape,
    { from, to }: OpenAxes = { from: 0, to: 0 },
  ): Tensor<T> => {
    if (sizeOf(shape) !== sizeOf(x.shape)) throw new Error(`[${x.shape}] cannot become [${shape}]`);
    if (sameShape(shape, x.shape)) return x;
    const target = shape.map((length, axis) => (axis === to ? -1 : length));
    return apply(
      {
        type: 'Reshape',
        inputs: [x, integers(target)],
        gradient: (outputs) => [reshape(only(outputs), x.shape, { from: to, to: from }), null],
      },
      x.type,
      shape,
    );
  },
);

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

/** Repeats to the shape that another tensor has when the model runs, open axes included. */
export const broadcastLike = operator('broadcastLike', (x: FloatTensor, like: FloatTensor): FloatTensor => {
  const shape = apply({ type: 'Shape', inputs: [like], gradient: null }, 'int64', [like.shape.length]);
  return apply(
    { type: 'Expand', inputs: [x, shape], gradient: (outputs) => [only(outputs), null] },
    'float32',
    like.shape,
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
    const results: readonly FloatTensor[] = applyMany(
      {
        type: 'Split',
        inputs: [x, integers(lengths)],
        attributes: { axis: { kind: 'int', value: along } },
        gradient: (outputs) => {
          const parts = outputs.map((part, index) => part ?? zerosLike(results[index]!));
          return [concatenate(parts, along), null];
        },
      },
      shapes,
    );
    return results;
  },
);

/** Zeros appended along an axis. */
export const padEnd = operator('padEnd', (x: FloatTensor, axis: number, count: number): FloatTensor => {
  if (count === 0) return x;
  const along = normalizeAxis(axis, x.shape.length);
  const length = x.shape[along]!;
  const pads = x.shape.flatMap(() => [0, 0]);
  pads[x.shape.length + along] = count;
  return apply(
    {
      type: 'Pad',
      inputs: [x, integers(pads)],
      gradient: (outputs) => [split(only(outputs), [length, count], along)[0]!, null],
    },
    'float32',
    x.shape.map((other, index) => (index === along ? length + count : other)),
  );
});

/** Zeros in the shape that the tensor has when the model runs. */
export function zerosLike(x: FloatTensor): FloatTensor {
  const shape = apply({ type: 'Shape', inputs: [x], gradient: null }, 'int64', [x.shape.length]);
  return apply({ type: 'ConstantOfShape', inputs: [shape], gradient: null }, 'float32', x.shape);
}
