/** Operators that work on each value by itself, with NumPy's broadcasting where they take two. */
import { apply, discreteOperator, only, operator } from '../operator.ts';
import { type DataType, type FloatTensor, type Shape, scalar, type Tensor } from '../tensor.ts';
import { sumTo } from './reduce.ts';

/** The shape of two operands side by side. */
export function broadcast(a: Shape, b: Shape): Shape {
  const rank = Math.max(a.length, b.length);
  return Array.from({ length: rank }, (_, axis) => {
    const left = a[axis - rank + a.length] ?? 1;
    const right = b[axis - rank + b.length] ?? 1;
    if (left !== right && left !== 1 && right !== 1) throw new Error(`[${a}] and [${b}] do not broadcast`);
    return Math.max(left, right);
  });
}

type Rule = (gradient: FloatTensor, output: FloatTensor) => readonly FloatTensor[];

/** A node whose gradient rule may refer to its own output, and whose input gradients are summed to fit. */
function elementwise(type: string, inputs: readonly FloatTensor[], rule: Rule): FloatTensor {
  const shape = inputs.map((tensor) => tensor.shape).reduce(broadcast);
  const output: FloatTensor = apply(
    {
      type,
      inputs,
      gradient: (outputs) =>
        rule(only(outputs), output).map((gradient, index) => sumTo(gradient, inputs[index]!.shape)),
    },
    'float32',
    shape,
  );
  return output;
}

export const add = operator(
  'add',
  (a: FloatTensor, b: FloatTensor): FloatTensor => elementwise('Add', [a, b], (g) => [g, g]),
);

export const subtract = operator(
  'subtract',
  (a: FloatTensor, b: FloatTensor): FloatTensor => elementwise('Sub', [a, b], (g) => [g, negate(g)]),
);

export const multiply = operator(
  'multiply',
  (a: FloatTensor, b: FloatTensor): FloatTensor =>
    elementwise('Mul', [a, b], (g) => [multiply(g, b), multiply(g, a)]),
);

export const divide = operator(
  'divide',
  (a: FloatTensor, b: FloatTensor): FloatTensor =>
    elementwise('Div', [a, b], (g, y) => [divide(g, b), negate(divide(multiply(g, y), b))]),
);

export const negate = operator(
  'negate',
  (x: FloatTensor): FloatTensor => elementwise('Neg', [x], (g) => [negate(g)]),
);

export const exponential = operator(
  'exponential',
  (x: FloatTensor): FloatTensor => elementwise('Exp', [x], (g, y) => [multiply(g, y)]),
);

export const logarithm = operator(
  'logarithm',
  (x: FloatTensor): FloatTensor => elementwise('Log', [x], (g) => [divide(g, x)]),
);

export const squareRoot = operator(
  'squareRoot',
  (x: FloatTensor): FloatTensor => elementwise('Sqrt', [x], (g, y) => [divide(multiply(g, scalar(0.5)), y)]),
);

export const sigmoid = operator(
  'sigmoid',
  (x: FloatTensor): FloatTensor =>
    elementwise('Sigmoid', [x], (g, y) => [multiply(g, multiply(y, subtract(scalar(1), y)))]),
);

/** log(1 + exp(x)), safe for large |x|; binary cross-entropy on logits is softplus(x) − label · x. */
export const softplus = operator(
  'softplus',
  (x: FloatTensor): FloatTensor => elementwise('Softplus', [x], (g) => [multiply(g, sigmoid(x))]),
);

export const relu = operator(
  'relu',
  (x: FloatTensor): FloatTensor => elementwise('Relu', [x], (g, y) => [multiply(g, sign(y))]),
);

/**
 * x Φ(x), Φ the normal distribution function (Hendrycks and Gimpel, 2016).
 * Its derivative is Φ(x) + x φ(x), with Φ from the error function.
 */
export const gelu = operator(
  'gelu',
  (x: FloatTensor): FloatTensor =>
    elementwise('Gelu', [x], (g) => {
      const scaled = multiply(x, scalar(Math.SQRT1_2));
      const erf = apply({ type: 'Erf', inputs: [scaled], gradient: null }, 'float32', x.shape);
      const distribution = multiply(add(erf, scalar(1)), scalar(0.5));
      const density = exponential(negate(multiply(scaled, scaled)));
      const slope = multiply(multiply(x, density), scalar(1 / Math.sqrt(2 * Math.PI)));
      return [multiply(g, add(distribution, slope))];
    }),
);

/** −1, 0 or 1. */
export const sign = discreteOperator(
  'sign',
  (x: FloatTensor): FloatTensor => apply({ type: 'Sign', inputs: [x], gradient: null }, 'float32', x.shape),
);

/** 1 where the integers are equal, else 0. */
export const equal = discreteOperator('equal', (a: Tensor<'int32'>, b: Tensor<'int32'>) =>
  cast(
    apply({ type: 'Equal', inputs: [a, b], gradient: null }, 'bool', broadcast(a.shape, b.shape)),
    'float32',
  ),
);

const onnxTypes: Readonly<Record<DataType, number>> = { float32: 1, uint8: 2, int32: 6, int64: 7, bool: 9 };

export const cast = discreteOperator('cast', <T extends DataType>(x: Tensor, type: T) =>
  apply(
    {
      type: 'Cast',
      inputs: [x],
      attributes: { to: { kind: 'int', value: onnxTypes[type] } },
      gradient: null,
    },
    type,
    x.shape,
  ),
);
