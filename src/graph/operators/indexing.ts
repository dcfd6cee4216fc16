/** Rows picked by index, and their counterpart. */
import { apply, only, operator } from '../operator.ts';
import { type FloatTensor, sizeOf, type Tensor } from '../tensor.ts';
import { cast } from './elementwise.ts';
import { reshape } from './shape.ts';

/** Rows of a table: (U, …), indices of any shape → (…indices, …). Every index must be a row of the table. */
export const gather = operator('gather', (table: FloatTensor, indices: Tensor<'int32'>): FloatTensor => {
  const [, ...rest] = table.shape;
  if (table.shape.length === 0) throw new Error('a scalar has no rows');
  const count = sizeOf(indices.shape);
  return apply(
    {
      type: 'Gather',
      inputs: [table, indices],
      gradient: (outputs) => [
        scatterAdd(reshape(only(outputs), [count, ...rest]), reshape(indices, [count]), table),
        null,
      ],
    },
    'float32',
    [...indices.shape, ...rest],
  );
});

/** A table shaped like `table` in which row r is the sum of the updates whose index is r: (n, …), (n) → (U, …). */
export const scatterAdd = operator(
  'scatterAdd',
  (updates: FloatTensor, indices: Tensor<'int32'>, table: FloatTensor): FloatTensor => {
    const positions = cast(reshape(indices, [sizeOf(indices.shape), 1]), 'int64');
    return apply(
      {
        type: 'ScatterND',
        inputs: [zerosLike(table), positions, updates],
        attributes: { reduction: { kind: 'text', value: 'add' } },
        gradient: (outputs) => [null, null, gather(only(outputs), indices)],
      },
      'float32',
      table.shape,
    );
  },
);

/** Zeros in the shape that the tensor has when the model runs. */
function zerosLike(x: FloatTensor): FloatTensor {
  const shape = apply({ type: 'Shape', inputs: [x], gradient: null }, 'int64', [x.shape.length]);
  return apply({ type: 'ConstantOfShape', inputs: [shape], gradient: null }, 'float32', x.shape);
}
