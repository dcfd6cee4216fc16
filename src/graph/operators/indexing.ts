/** Rows picked by index, and their counterpart. */
import { apply, only, operator } from '../operator.ts';
import { type FloatTensor, scalar, sizeOf, type Tensor } from '../tensor.ts';
import { cast } from './elementwise.ts';
import { broadcastTo, reshape } from './shape.ts';

/** Rows of a table: (U, …), indices of any shape → (…indices, …). Every index must be a row of the table. */
export const gather = operator('gather', (table: FloatTensor, indices: Tensor<'int32'>): FloatTensor => {
  const [rows, ...rest] = table.shape;
  if (rows === undefined) throw new Error('a scalar has no rows');
  const count = sizeOf(indices.shape);
  return apply(
    {
      type: 'Gather',
      inputs: [table, indices],
      gradient: (outputs) => [
        scatterAdd(reshape(only(outputs), [count, ...rest]), reshape(indices, [count]), rows),
        null,
      ],
    },
    'float32',
    [...indices.shape, ...rest],
  );
});

/** A table of `rows` rows in which row r is the sum of the updates whose index is r: (n, …), (n) → (rows, …). */
export const scatterAdd = operator(
  'scatterAdd',
  (updates: FloatTensor, indices: Tensor<'int32'>, rows: number): FloatTensor => {
    const [count, ...rest] = updates.shape;
    const positions = cast(reshape(indices, [count!, 1]), 'int64');
    return apply(
      {
        type: 'ScatterND',
        inputs: [broadcastTo(scalar(0), [rows, ...rest]), positions, updates],
        attributes: { reduction: { kind: 'text', value: 'add' } },
        gradient: (outputs) => [null, null, gather(only(outputs), indices)],
      },
      'float32',
      [rows, ...rest],
    );
  },
);
