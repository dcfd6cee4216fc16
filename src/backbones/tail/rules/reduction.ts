/** Sums and means along axes, and what normalises by them. */
import * as op from '../../../graph/operators/index.ts';
import { type FloatTensor, sizeOf } from '../../../graph/tensor.ts';
import type { Call } from '../call.ts';
import { type TensorValue, tensorValue } from '../value.ts';
import type { Rule, Rules } from './rule.ts';
import { countsOf, reshaped, transposed } from './shape.ts';

function reduction(build: (x: FloatTensor, axes: readonly number[]) => FloatTensor): Rule {
  return (call) => {
    const x = call.tensor(0);
    const rank = x.tensor.shape.length;
    const given = call.has(1) ? call.integers(1) : [];
    if (given.length === 0 && call.int('noop_with_empty_axes', 0) === 1) return [x];
    const axes =
      given.length === 0 ? Array.from({ length: rank }, (_, axis) => axis) : call.axes(given, rank);
    return [reduced(call, x, axes, build, call.int('keepdims', 1) === 1)];
  };
}

function reduced(
  call: Call,
  x: TensorValue,
  axes: readonly number[],
  build: (x: FloatTensor, axes: readonly number[]) => FloatTensor,
  kept: boolean,
): TensorValue {
  if (x.photos !== null && axes.includes(x.photos)) throw call.refused('goes over several photos');
  const result = tensorValue(build(x.tensor, axes), x.photos);
  if (kept) return result;
  return reshaped(
    call,
    result,
    countsOf(call, result).filter((_, axis) => !axes.includes(axis)),
  );
}

function length(x: FloatTensor, axes: readonly number[]): FloatTensor {
  return op.squareRoot(op.sum(op.multiply(x, x), axes));
}

/** The mean over places of (B, C, …). */
const poolAll: Rule = (call) => {
  const x = call.tensor(0);
  const axes = x.tensor.shape.map((_, axis) => axis).slice(2);
  if (axes.length === 0) throw call.refused('finds no places to pool');
  return [reduced(call, x, axes, op.mean, true)];
};

const layerNormalization: Rule = (call) => {
  const x = call.tensor(0);
  const rank = x.tensor.shape.length;
  if (call.axis(call.int('axis', -1), rank) !== rank - 1 || x.photos === rank - 1)
    throw call.refused('normalises over more than the last axis');
  const standard = op.standardize(x.tensor, call.float('epsilon', 1e-5));
  const width = x.tensor.shape.at(-1)!;
  const ofWidth = (at: number) => {
    const { tensor, photos } = call.tensor(at);
    if (photos !== null || sizeOf(tensor.shape) !== width || tensor.shape.at(-1) !== width)
      throw call.refused('scales by what is not of its width');
    return tensor;
  };
  const scaled = op.multiply(standard, ofWidth(1));
  return [tensorValue(call.has(2) ? op.add(scaled, ofWidth(2)) : scaled, x.photos)];
};

const softmax: Rule = (call) => {
  const x = call.tensor(0);
  const rank = x.tensor.shape.length;
  const axis = call.axis(call.int('axis', -1), rank);
  if (axis === x.photos) throw call.refused('goes over several photos');
  if (axis === rank - 1) return [tensorValue(op.softmax(x.tensor), x.photos)];
  const order = x.tensor.shape.map((_, at) => (at === axis ? rank - 1 : at === rank - 1 ? axis : at));
  const last = transposed(x, order);
  return [transposed(tensorValue(op.softmax(last.tensor), last.photos), order)];
};

export const reductionRules: Rules = {
  ReduceMean: reduction(op.mean),
  ReduceSum: reduction(op.sum),
  ReduceL2: reduction(length),
  GlobalAveragePool: poolAll,
  LayerNormalization: layerNormalization,
  Softmax: softmax,
};
