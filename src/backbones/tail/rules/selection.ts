/** Operators that take parts of tensors, or put parts together. */
import * as op from '../../../graph/operators/index.ts';
import { constant, type FloatTensor } from '../../../graph/tensor.ts';
import type { Call } from '../call.ts';
import { type TensorValue, tensorValue } from '../value.ts';
import type { Rule, Rules } from './rule.ts';
import { countsOf, reshaped, transposed } from './shape.ts';

/** Places from `from` to before `to` along an axis. */
function between(x: TensorValue, axis: number, from: number, to: number): TensorValue {
  const length = x.tensor.shape[axis]!;
  if (from === 0 && to === length) return x;
  const lengths = [from, to - from, length - to];
  const kept = lengths.flatMap((each, place) => (each > 0 ? [place] : []));
  const parts = op.split(
    x.tensor,
    kept.map((place) => lengths[place]!),
    axis,
  );
  return tensorValue(parts[kept.indexOf(1)]!, x.photos);
}

/** Axes of at most so many places are taken apart once, whoever wants which. */
const fewPlaces = 8;

/** One place along an axis, which stays with the length 1. */
function place({ around: { parts } }: Call, x: TensorValue, axis: number, at: number): TensorValue {
  const length = x.tensor.shape[axis]!;
  if (length > fewPlaces || length === 1) return between(x, axis, at, at + 1);
  const ofTensor = parts.get(x.tensor) ?? new Map<number, readonly FloatTensor[]>();
  parts.set(x.tensor, ofTensor);
  const split =
    ofTensor.get(axis) ??
    op.split(
      x.tensor,
      Array.from({ length }, () => 1),
      axis,
    );
  ofTensor.set(axis, split);
  return tensorValue(split[at]!, x.photos);
}

/** Any places along an axis, in any order: (…, length, …), indices (…i) → (…, …i, …). */
function gathered(
  x: TensorValue,
  axis: number,
  indices: readonly number[],
  shape: readonly number[],
): TensorValue {
  const rank = x.tensor.shape.length;
  const order = [axis, ...Array.from({ length: rank }, (_, at) => at).filter((at) => at !== axis)];
  const first = transposed(x, order);
  const places = constant('int32', Int32Array.from(indices), shape);
  const moved = (at: number) => (at === 0 ? null : at - 1 + shape.length);
  const photos = first.photos === null ? null : moved(first.photos);
  const found = tensorValue(op.gather(first.tensor, places), photos);
  const back = [
    ...Array.from({ length: axis }, (_, at) => shape.length + at),
    ...Array.from({ length: shape.length }, (_, at) => at),
    ...Array.from({ length: rank - axis - 1 }, (_, at) => shape.length + axis + at),
  ];
  return transposed(found, back);
}

const gather: Rule = (call) => {
  const x = call.tensor(0);
  const { shape } = x.tensor;
  const axis = call.axis(call.int('axis', 0), shape.length);
  if (axis === x.photos) throw call.refused('chooses among photos');
  const indices = call.value(1);
  const length = shape[axis]!;
  const places = call.integers(1).map((at) => (at < 0 ? at + length : at));
  if (indices.kind !== 'folded' || indices.shape === null || places.length === 0)
    throw call.refused('chooses by what photos or weights decide');
  if (places.some((at) => !Number.isInteger(at) || at < 0 || at >= length))
    throw call.refused(`takes a place that is not among ${length}`);
  if (indices.shape.length > 0) return [gathered(x, axis, places, indices.shape)];
  const one = place(call, x, axis, places[0]!);
  return [
    reshaped(
      call,
      one,
      countsOf(call, one).filter((_, at) => at !== axis),
    ),
  ];
};

const slice: Rule = (call) => {
  let x = call.tensor(0);
  const rank = x.tensor.shape.length;
  const [starts, ends] = [call.counts(1), call.counts(2)];
  const axes = call.has(3) ? call.axes(call.integers(3), rank) : starts.map((_, at) => at);
  const steps = call.has(4) ? call.integers(4) : axes.map(() => 1);
  if ([starts, ends, steps].some((list) => list.length !== axes.length) || axes.length > rank)
    throw call.refused('has not as many starts, ends and steps as axes');
  for (const [at, axis] of axes.entries()) {
    const [start, end, step] = [starts[at]!, ends[at]!, steps[at]!];
    if (axis === x.photos) {
      const length = countsOf(call, x)[axis]!.count;
      const isWhole =
        start.count === 0 && step === 1 && (end.perPhoto ? end.count >= length : end.count >= 2 ** 31 - 1);
      if (!isWhole) throw call.refused('cuts a batch of photos');
    } else {
      if (start.perPhoto || end.perPhoto) throw call.refused('cuts as the number of photos says');
      x = sliced(call, x, axis, { start: start.count, end: end.count, step });
    }
  }
  return [x];
};

interface Span {
  readonly start: number;
  readonly end: number;
  readonly step: number;
}

function sliced(call: Call, x: TensorValue, axis: number, { start, end, step }: Span): TensorValue {
  const length = x.tensor.shape[axis]!;
  if (step === 0) throw call.refused('goes on by 0 places');
  const clamped = (at: number, low: number, high: number) =>
    Math.min(high, Math.max(low, at < 0 ? at + length : at));
  const [from, to] =
    step > 0
      ? [clamped(start, 0, length), clamped(end, 0, length)]
      : [clamped(start, -1, length - 1), end < -length ? -1 : clamped(end, -1, length - 1)];
  const count = Math.max(0, Math.ceil((to - from) / step));
  if (count === 0) throw call.refused('takes nothing');
  if (step === 1) return between(x, axis, from, to);
  // Every so many places: one of each group of them.
  const first = from - (from % step);
  if (step > 1 && first + count * step <= length) {
    const groups = between(x, axis, first, first + count * step);
    const counts = countsOf(call, groups);
    const apart = reshaped(call, groups, [
      ...counts.slice(0, axis),
      { count, perPhoto: false },
      { count: step, perPhoto: false },
      ...counts.slice(axis + 1),
    ]);
    return reshaped(
      call,
      place(call, apart, axis + 1, from % step),
      counts.with(axis, { count, perPhoto: false }),
    );
  }
  const places = Array.from({ length: count }, (_, at) => from + at * step);
  return gathered(x, axis, places, [count]);
}

const split: Rule = (call) => {
  const x = call.tensor(0);
  const axis = call.axis(call.int('axis', 0), x.tensor.shape.length);
  if (axis === x.photos) throw call.refused('cuts a batch of photos');
  const length = x.tensor.shape[axis]!;
  const parts = call.has(1)
    ? call.integers(1)
    : evenParts(length, call.int('num_outputs', call.node.output.length));
  const sum = parts.reduce((total, part) => total + part, 0);
  if (sum !== length || parts.some((part) => !Number.isInteger(part) || part < 1))
    throw call.refused(`cuts ${length} places into (${parts.join(', ')})`);
  return op.split(x.tensor, parts, axis).map((part) => tensorValue(part, x.photos));
};

/** As long as each other, but for the last. */
function evenParts(length: number, count: number): readonly number[] {
  const part = Math.ceil(length / Math.max(1, count));
  return Array.from({ length: Math.ceil(length / part) }, (_, at) => Math.min(part, length - at * part));
}

const concat: Rule = (call) => {
  const parts = Array.from({ length: call.count }, (_, at) => call.tensor(at));
  const [first] = parts;
  if (first === undefined) throw call.refused('puts nothing together');
  const { shape } = first.tensor;
  const axis = call.axis(call.int('axis', 0), shape.length);
  const isLike = ({ tensor, photos }: TensorValue) =>
    photos === first.photos &&
    tensor.shape.length === shape.length &&
    tensor.shape.every((length, at) => at === axis || length === shape[at]);
  if (axis === first.photos || !parts.every(isLike)) throw call.refused('puts together what does not fit');
  return [
    tensorValue(
      op.concatenate(
        parts.map(({ tensor }) => tensor),
        axis,
      ),
      first.photos,
    ),
  ];
};

/** Zeros before and after. */
const pad: Rule = (call) => {
  let x = call.tensor(0);
  const rank = x.tensor.shape.length;
  const amounts = call.integers(1);
  const axes = call.has(3) ? call.axes(call.integers(3), rank) : x.tensor.shape.map((_, axis) => axis);
  if (amounts.length !== 2 * axes.length) throw call.refused('has not two amounts for each axis');
  for (const [at, axis] of axes.entries()) {
    const [before, after] = [amounts[at]!, amounts[axes.length + at]!];
    if (before === 0 && after === 0) continue;
    const isZero = call.text('mode', 'constant') === 'constant' && (!call.has(2) || call.number(2) === 0);
    if (!isZero || before < 0 || after < 0 || axis === x.photos || before + after > 2 ** 16)
      throw call.refused('pads with more than some zeros');
    const length = x.tensor.shape[axis]!;
    const padded = op.padEnd(x.tensor, axis, before + after);
    if (before === 0) x = tensorValue(padded, x.photos);
    else {
      const lengths = [length + after, before];
      const [rest, zeros] = op.split(padded, lengths, axis);
      x = tensorValue(op.concatenate([zeros!, rest!], axis), x.photos);
    }
  }
  return [x];
};

export const selectionRules: Rules = { Gather: gather, Slice: slice, Split: split, Concat: concat, Pad: pad };
