/** Operators that work on each number by itself. */
import * as op from '../../../graph/operators/index.ts';
import { constant, type FloatTensor, scalar } from '../../../graph/tensor.ts';
import type { Call } from '../call.ts';
import { type TensorValue, tensorValue, type Value } from '../value.ts';
import { photosOfBoth } from './broadcast.ts';
import type { Rule, Rules } from './rule.ts';

function pair(build: (a: FloatTensor, b: FloatTensor) => FloatTensor) {
  return (call: Call, a: TensorValue, b: TensorValue): TensorValue =>
    tensorValue(build(a.tensor, b.tensor), photosOfBoth(call, a, b));
}

function binary(build: (a: FloatTensor, b: FloatTensor) => FloatTensor): Rule {
  const of = pair(build);
  return (call) => [of(call, call.tensor(0), call.tensor(1))];
}

/** Of one tensor or more. */
function several(build: (a: FloatTensor, b: FloatTensor) => FloatTensor): Rule {
  const of = pair(build);
  return (call) => {
    let result = call.tensor(0);
    for (let at = 1; at < call.count; at++) result = of(call, result, call.tensor(at));
    return [result];
  };
}

function unary(build: (x: FloatTensor, call: Call) => FloatTensor): Rule {
  return (call) => {
    const { tensor, photos } = call.tensor(0);
    return [tensorValue(build(tensor, call), photos)];
  };
}

/** The same tensor. */
const same: Rule = (call) => [call.tensor(0)];

const cast: Rule = (call) => {
  if (call.int('to', 0) !== 1) throw call.refused('makes other numbers of them than float32');
  return [call.tensor(0)];
};

function power(x: FloatTensor, call: Call): FloatTensor {
  const exponent = call.number(1);
  switch (exponent) {
    case 0.5:
      return op.squareRoot(x);
    case 1:
      return x;
    case 2:
      return op.multiply(x, x);
    case 3:
      return op.multiply(x, op.multiply(x, x));
    case -0.5:
      return op.divide(scalar(1), op.squareRoot(x));
    case -1:
      return op.divide(scalar(1), x);
    default:
      throw call.refused(`raises to the power of ${exponent}`);
  }
}

function gelu(x: FloatTensor, call: Call): FloatTensor {
  switch (call.text('approximate', 'none')) {
    case 'none':
      return op.multiply(op.erfGate(op.multiply(x, scalar(Math.SQRT1_2))), scalar(Math.SQRT2));
    case 'tanh': {
      const inner = op.addScaled(x, op.multiply(x, op.multiply(x, x)), 0.044715);
      // (1 + tanh z) / 2 is the logistic function of 2 z.
      return op.multiply(x, op.sigmoid(op.multiply(inner, scalar(2 * Math.sqrt(2 / Math.PI)))));
    }
    default:
      throw call.refused('is a Gelu of an unknown kind');
  }
}

/** max(a, b) = b + relu(a − b) */
function larger(a: FloatTensor, b: FloatTensor): FloatTensor {
  return op.add(b, op.relu(op.subtract(a, b)));
}

function smaller(a: FloatTensor, b: FloatTensor): FloatTensor {
  return op.subtract(b, op.relu(op.subtract(b, a)));
}

function clip(x: FloatTensor, call: Call): FloatTensor {
  const above = call.has(1) ? larger(x, scalar(call.number(1))) : x;
  return call.has(2) ? smaller(above, scalar(call.number(2))) : above;
}

function hardSigmoid(x: FloatTensor, alpha: number, beta: number): FloatTensor {
  const line = op.add(op.multiply(x, scalar(alpha)), scalar(beta));
  return smaller(larger(line, scalar(0)), scalar(1));
}

/** One of two, as a constant says: each is multiplied by whether it is wanted. */
const where: Rule = (call) => {
  const condition = call.tensor(0);
  if (condition.tensor.source.kind !== 'constant')
    throw call.refused('chooses by what photos or weights decide');
  const chosen = condition.tensor.source.data;
  const { shape } = condition.tensor;
  const side = (value: Value, at: number, wanted: boolean): TensorValue => {
    const gate = Float32Array.from(chosen, (choice) => Number((choice !== 0) === wanted));
    // What is not wanted may be infinite, which no factor makes zero.
    if (value.kind === 'folded' && value.floats.length === 1)
      return tensorValue(
        constant(
          'float32',
          gate.map((open) => (open === 1 ? value.floats[0]! : 0)),
          shape,
        ),
        null,
      );
    const taken = call.tensor(at);
    const factor = tensorValue(constant('float32', gate, shape), null);
    return tensorValue(op.multiply(taken.tensor, factor.tensor), photosOfBoth(call, taken, factor));
  };
  const [yes, no] = [side(call.value(1), 1, true), side(call.value(2), 2, false)];
  return [tensorValue(op.add(yes.tensor, no.tensor), photosOfBoth(call, yes, no))];
};

export const elementwiseRules: Rules = {
  Add: binary(op.add),
  Sub: binary(op.subtract),
  Mul: binary(op.multiply),
  Div: binary(op.divide),
  Max: several(larger),
  Min: several(smaller),
  Sum: several(op.add),
  Identity: same,
  Dropout: same,
  Cast: cast,
  Neg: unary(op.negate),
  Exp: unary(op.exponential),
  Log: unary(op.logarithm),
  Sqrt: unary(op.squareRoot),
  Reciprocal: unary((x) => op.divide(scalar(1), x)),
  Erf: unary(op.errorFunction),
  Sigmoid: unary(op.sigmoid),
  Softplus: unary(op.softplus),
  Tanh: unary(op.hyperbolicTangent),
  Relu: unary(op.relu),
  Gelu: unary(gelu),
  Pow: unary(power),
  Clip: unary(clip),
  HardSigmoid: unary((x, call) => hardSigmoid(x, call.float('alpha', 0.2), call.float('beta', 0.5))),
  HardSwish: unary((x) => op.multiply(x, hardSigmoid(x, 1 / 6, 0.5))),
  Where: where,
};
