/** Rows picked by index, and their counterpart. */
import { apply, discreteOperator, only, operator } from '../operator.ts';
import { constant, type FloatTensor, integers, normalizeAxis, sizeOf, type Tensor } from '../tensor.ts';
import { cast } from './elementwise.ts';
import { reshape, zerosLike } from './shape.ts';

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

/** 0, 1, 2, … for the rows that the tensor has when the model runs: (n, …) → (n, 1). */
export const rowIndices = discreteOperator('rowIndices', (x: Tensor): Tensor<'int32'> => {
  const attributes = { end: { kind: 'int', value: 1 } } as const;
  const count = apply({ type: 'Shape', inputs: [x], attributes, gradient: null }, 'int64', [1]);
  const [start, step] = [0n, 1n].map((value) => constant('int64', BigInt64Array.of(value), []));
  const range = apply(
    { type: 'Range', inputs: [start!, reshape(count, []), step!], gradient: null },
    'int64',
    [x.shape[0]!],
  );
  return cast(reshape(range, [x.shape[0]!, 1]), 'int32');
});

/** Places along an axis in another order: place i of the result is place order[i] of x. */
export const reorder = operator(
  'reorder',
  (x: FloatTensor, axis: number, order: readonly number[]): FloatTensor => {
    const along = normalizeAxis(axis, x.shape.length);
    const inverse = inverseOrder(order);
    if (order.length !== x.shape[along] || !order.every((from, to) => inverse[from] === to)) {
      throw new Error(`not an order of ${x.shape[along]} places`);
    }
    return apply(
      {
        type: 'Gather',
        inputs: [x, constant('int32', Int32Array.from(order), [order.length])],
        attributes: { axis: { kind: 'int', value: along } },
        gradient: (outputs) => [reorder(only(outputs), along, inverse), null],
      },
      'float32',
      x.shape,
    );
  },
);

/** The order that undoes another. */
export function inverseOrder(order: readonly number[]): readonly number[] {
  const inverse = Array.from(order, () => 0);
  for (const [to, from] of order.entries()) inverse[from] = to;
  return inverse;
}

/**
 * A table shaped like `table` in which row r is the sum of the updates whose index is r: (n, …), (n) → (U, …).
 *
 * By ScatterElements, which adds one value after the other. ScatterND would be faster, but with several
 * threads its additions to the same row race and some get lost (ONNX Runtime 1.30).
 */
export const scatterAdd = operator(
  'scatterAdd',
  (updates: FloatTensor, indices: Tensor<'int32'>, table: FloatTensor): FloatTensor => {
    const count = sizeOf(indices.shape);
    const width = sizeOf(table.shape) / table.shape[0]!;
    const positions = expandColumns(cast(reshape(indices, [count, 1]), 'int64'), width); // (n, width)
    const sums = apply(
      {
        type: 'ScatterElements',
        inputs: [
          zerosLike(reshape(table, [table.shape[0]!, width])),
          positions,
          reshape(updates, [count, width]),
        ],
        attributes: { axis: { kind: 'int', value: 0 }, reduction: { kind: 'text', value: 'add' } },
        gradient: (outputs) => [null, null, gather(only(outputs), reshape(indices, [count]))],
      },
      'float32',
      [table.shape[0]!, width],
    );
    return reshape(sums, table.shape);
  },
);

/** Every value of a column repeated along its row: (n, 1) → (n, width). */
function expandColumns(column: Tensor<'int64'>, width: number): Tensor<'int64'> {
  const inputs = [column, integers([1, width])];
  return apply({ type: 'Expand', inputs, gradient: null }, 'int64', [column.shape[0]!, width]);
}
