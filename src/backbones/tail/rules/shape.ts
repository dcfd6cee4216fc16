/** Operators that give numbers another shape, or another order of axes. */
import * as op from '../../../graph/operators/index.ts';
import { constant, type FloatTensor, sizeOf } from '../../../graph/tensor.ts';
import type { Call } from '../call.ts';
import { type Count, type TensorValue, tensorValue } from '../value.ts';
import type { Rule, Rules } from './rule.ts';

/** Numbers that are repeated to. */
const mostNumbers = 2 ** 24;

/** Axes that a tensor may have. */
const mostAxes = 16;

/** The lengths of its axes, that of photos by the photo. */
export function countsOf(call: Call, { tensor, photos }: TensorValue): readonly Count[] {
  return tensor.shape.map((length, axis) =>
    axis === photos
      ? { count: length / call.around.batch, perPhoto: true }
      : { count: length, perPhoto: false },
  );
}

/** The same numbers under another shape, in which photos must have one axis again. */
export function reshaped(call: Call, x: TensorValue, counts: readonly Count[]): TensorValue {
  const { batch } = call.around;
  const axes = counts.flatMap(({ perPhoto }, axis) => (perPhoto ? [axis] : []));
  const [photos = null, ...others] = axes;
  const size = counts.reduce((product, { count }) => product * count, 1);
  const wanted = sizeOf(x.tensor.shape) / (x.photos === null ? 1 : batch);
  if (others.length > 0 || (photos === null) !== (x.photos === null))
    throw call.refused('leaves photos no axis of their own');
  if (size !== wanted || counts.some(({ count }) => !Number.isInteger(count) || count < 1))
    throw call.refused(`cannot make (${counts.map(({ count }) => count).join(', ')}) of [${x.tensor.shape}]`);
  if (counts.length > mostAxes) throw call.refused(`makes ${counts.length} axes`);
  const shape = counts.map(({ count, perPhoto }) => (perPhoto ? count * batch : count));
  return tensorValue(op.reshape(x.tensor, shape, { from: x.photos ?? 0, to: photos ?? 0 }), photos);
}

const reshape: Rule = (call) => {
  const x = call.tensor(0);
  const own = countsOf(call, x);
  const asked = call.counts(1).map((each, axis) => {
    if (each.count !== 0 || call.int('allowzero', 0) === 1) return each;
    const kept = own[axis];
    if (kept === undefined) throw call.refused(`keeps the axis ${axis}, which is not there`);
    return kept;
  });
  const open = asked.flatMap(({ count }, axis) => (count === -1 ? [axis] : []));
  if (open.length > 1) throw call.refused('leaves two lengths open');
  const [inferred] = open;
  if (inferred === undefined) return [reshaped(call, x, asked)];
  const known = asked.filter((_, axis) => axis !== inferred);
  const size = known.reduce((product, { count }) => product * count, 1);
  const total = own.reduce((product, { count }) => product * count, 1);
  const perPhoto = x.photos !== null && !known.some((each) => each.perPhoto);
  return [reshaped(call, x, asked.with(inferred, { count: total / size, perPhoto }))];
};

const flatten: Rule = (call) => {
  const x = call.tensor(0);
  const own = countsOf(call, x);
  const given = call.int('axis', 1);
  const axis = given === own.length ? given : call.axis(given, own.length);
  const joined = (part: readonly Count[]): Count => ({
    count: part.reduce((product, { count }) => product * count, 1),
    perPhoto: part.some(({ perPhoto }) => perPhoto),
  });
  return [reshaped(call, x, [joined(own.slice(0, axis)), joined(own.slice(axis))])];
};

const squeeze: Rule = (call) => {
  const x = call.tensor(0);
  const own = countsOf(call, x);
  const isOne = ({ count, perPhoto }: Count) => count === 1 && !perPhoto;
  const axes = call.has(1) ? call.axes(call.integers(1), own.length) : null;
  if (axes?.some((axis) => !isOne(own[axis]!))) throw call.refused('drops an axis that is longer than 1');
  const kept = own.filter((count, axis) => (axes === null ? !isOne(count) : !axes.includes(axis)));
  return [reshaped(call, x, kept)];
};

const unsqueeze: Rule = (call) => {
  const x = call.tensor(0);
  const own = [...countsOf(call, x)];
  const given = call.integers(1);
  const axes = call.axes(given, own.length + given.length);
  const counts = Array.from(
    { length: own.length + axes.length },
    (_, axis): Count => (axes.includes(axis) ? { count: 1, perPhoto: false } : own.shift()!),
  );
  return [reshaped(call, x, counts)];
};

/** Axes in another order, which must name each once. */
export function transposed({ tensor, photos }: TensorValue, order: readonly number[]): TensorValue {
  return tensorValue(op.transpose(tensor, order), photos === null ? null : order.indexOf(photos));
}

const transpose: Rule = (call) => {
  const x = call.tensor(0);
  const rank = x.tensor.shape.length;
  const order = call.ints('perm') ?? Array.from({ length: rank }, (_, axis) => rank - 1 - axis);
  if (order.length !== rank || call.axes(order, rank).some((axis, at) => axis !== order[at]))
    throw call.refused('has no order of all axes');
  const result = transposed(x, order);
  const turned = rank === 2 && order[0] === 1;
  const weight = x.weight && { ...x.weight, transposed: x.weight.transposed !== turned };
  return [rank === 2 ? { ...result, weight } : result];
};

/** Zeros, one for each photo, along an axis among `rank`: what is added to them is there for each photo. */
function zeroForPhotos({ around: { cut, batch } }: Call, rank: number, axis: number): FloatTensor {
  const flat = op.reshape(cut, [batch, sizeOf(cut.shape) / batch]);
  const [first] = flat.shape[1] === 1 ? [flat] : op.split(flat, [1, flat.shape[1]! - 1], 1);
  const shape = Array.from({ length: rank }, (_, at) => (at === axis ? batch : 1));
  return op.reshape(op.zerosLike(first!), shape, { from: 0, to: axis });
}

/** Repeats along axes of length 1, to the larger of both lengths. */
function expanded(call: Call, x: TensorValue, counts: readonly Count[]): TensorValue {
  const rank = Math.max(counts.length, x.tensor.shape.length);
  if (rank > mostAxes) throw call.refused(`makes ${rank} axes`);
  const one: Count = { count: 1, perPhoto: false };
  const lengths = Array.from({ length: rank }, (_, axis) => counts[axis - rank + counts.length] ?? one);
  if (lengths.some(({ count, perPhoto }) => count < 1 || (perPhoto && count !== 1)))
    throw call.refused('repeats photos');
  const wanted = lengths.flatMap(({ perPhoto }, axis) => (perPhoto ? [axis] : []));
  const [photos] = wanted;
  const own = x.photos === null ? null : x.photos + rank - x.tensor.shape.length;
  if (wanted.length > 1 || (photos !== undefined && own !== null && own !== photos))
    throw call.refused('sets photos against each other');
  const fixed = lengths.map(({ count, perPhoto }) => (perPhoto ? 1 : count));
  if (own !== null && fixed[own] !== 1) throw call.refused('repeats photos');
  if (sizeOf(fixed) > mostNumbers) throw call.refused(`makes more than ${mostNumbers} numbers of a photo`);
  let result = x.tensor;
  if (fixed.some((length) => length > 1) || rank > result.shape.length)
    result = op.add(result, constant('float32', new Float32Array(sizeOf(fixed)), fixed));
  if (photos === undefined || own !== null) return tensorValue(result, own);
  return tensorValue(op.add(result, zeroForPhotos(call, rank, photos)), photos);
}

const expand: Rule = (call) => [expanded(call, call.tensor(0), call.counts(1))];

const tile: Rule = (call) => {
  const x = call.tensor(0);
  const repeats = call.counts(1);
  const own = countsOf(call, x);
  if (repeats.length !== own.length) throw call.refused('has no number of times for each axis');
  const counts = repeats.map((times, axis): Count => {
    if (times.count === 1 && !times.perPhoto) return own[axis]!;
    if (own[axis]!.count !== 1 || own[axis]!.perPhoto) throw call.refused('repeats an axis longer than 1');
    return times;
  });
  return [expanded(call, x, counts)];
};

export const shapeRules: Rules = {
  Reshape: reshape,
  Flatten: flatten,
  Squeeze: squeeze,
  Unsqueeze: unsqueeze,
  Transpose: transpose,
  Expand: expand,
  Tile: tile,
};
