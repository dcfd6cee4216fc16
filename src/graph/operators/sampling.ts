/** Operators that photos go through before an encoder sees them. Nothing trains through them. */
import { apply, discreteOperator } from '../operator.ts';
import { type FloatTensor, scalar } from '../tensor.ts';

/** max(0, 1 − |x|): the weight that linear interpolation gives to a neighbour x places away. */
export const hat = discreteOperator('hat', (x: FloatTensor): FloatTensor => {
  const distance = apply({ type: 'Abs', inputs: [x], gradient: null }, 'float32', x.shape);
  // min(1, max(0, 1 − distance)) in one pass.
  const attributes = { alpha: { kind: 'float', value: -1 }, beta: { kind: 'float', value: 1 } } as const;
  return apply({ type: 'HardSigmoid', inputs: [distance], attributes, gradient: null }, 'float32', x.shape);
});

/** Values below `low` become `low`, values above `high` become `high`. */
export const clip = discreteOperator(
  'clip',
  (x: FloatTensor, low: number, high: number): FloatTensor =>
    apply({ type: 'Clip', inputs: [x, scalar(low), scalar(high)], gradient: null }, 'float32', x.shape),
);
