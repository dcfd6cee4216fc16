/** Matrix products, and the convolutions that are ones. */
import * as op from '../../../graph/operators/index.ts';
import { scalar, sizeOf } from '../../../graph/tensor.ts';
import type { Call } from '../call.ts';
import { type TensorValue, tensorValue } from '../value.ts';
import { type Placed, photosOfBoth, photosTogether } from './broadcast.ts';
import type { Rule, Rules } from './rule.ts';
import { transposed } from './shape.ts';

/** x W: (…, I), (I, O) → (…, O). All leading axes are folded into one, so that the weight's gradient is one large product. */
function product(call: Call, x: TensorValue, weight: TensorValue): TensorValue {
  const { shape } = x.tensor;
  const width = shape.at(-1)!;
  const [inputs, outputs] = weight.tensor.shape;
  if (x.photos === shape.length - 1) throw call.refused('multiplies along photos');
  if (inputs !== width) throw call.refused(`multiplies [${shape}] by [${weight.tensor.shape}]`);
  const axis = x.photos ?? 0;
  const rows = op.reshape(x.tensor, [sizeOf(shape) / width, width], { from: axis, to: 0 });
  const low = weight.weight && call.around.weights.lowRank(weight.weight, weight.tensor.shape);
  const whole = op.matmul(rows, weight.tensor);
  const given = low === null ? whole : op.add(whole, op.matmul(op.matmul(rows, low.a), low.b));
  return tensorValue(op.reshape(given, [...shape.slice(0, -1), outputs!], { from: 0, to: axis }), x.photos);
}

const matMul: Rule = (call) => {
  const [a, b] = [call.tensor(0), call.tensor(1)];
  const [left, right] = [a.tensor.shape, b.tensor.shape];
  if (left.length < 2 || right.length < 2) throw call.refused('multiplies by a vector');
  if (right.length === 2 && b.photos === null) return [product(call, a, b)];
  if (left.at(-1) !== right.at(-2)) throw call.refused(`multiplies [${left}] by [${right}]`);
  // Of the leading axes alone, which are broadcast.
  const leading = ({ tensor: { shape }, photos }: TensorValue): Placed => {
    if (photos !== null && photos >= shape.length - 2) throw call.refused('multiplies along photos');
    return { shape: shape.slice(0, -2), photos };
  };
  const photos = photosTogether(call, leading(a), leading(b));
  return [tensorValue(op.matmul(a.tensor, b.tensor), photos)];
};

const gemm: Rule = (call) => {
  const [a, b] = [call.tensor(0), call.tensor(1)];
  if (a.tensor.shape.length !== 2 || b.tensor.shape.length !== 2 || b.photos !== null)
    throw call.refused('multiplies what are no matrices of weights');
  const x = call.int('transA', 0) === 1 ? transposed(a, [1, 0]) : a;
  const turned = call.int('transB', 0) === 1;
  const weight: TensorValue = turned
    ? {
        ...transposed(b, [1, 0]),
        weight: b.weight && { ...b.weight, transposed: !b.weight.transposed },
      }
    : b;
  const scaled = (value: TensorValue, factor: number): TensorValue =>
    factor === 1 ? value : tensorValue(op.multiply(value.tensor, scalar(factor)), value.photos);
  const given = scaled(product(call, x, weight), call.float('alpha', 1));
  if (!call.has(2)) return [given];
  const added = scaled(call.tensor(2), call.float('beta', 1));
  return [tensorValue(op.add(given.tensor, added.tensor), photosOfBoth(call, given, added))];
};

/**
 * A convolution that cuts patches, its steps as long as its filters: (B, C, H, W), (O, C, k, l) → (B, O, H / k, W / l).
 * Others would want gradients of their own.
 */
const convolution: Rule = (call) => {
  const [x, filters] = [call.tensor(0), call.tensor(1)];
  const [batch = 0, channels = 0, height = 0, width = 0, ...more] = x.tensor.shape;
  const [outputs = 0, given, rows = 0, columns = 0] = filters.tensor.shape;
  const strides = call.ints('strides') ?? [1, 1];
  const isPlain = [
    more.length === 0 && filters.tensor.shape.length === 4,
    x.photos === 0 && filters.photos === null,
    call.int('group', 1) === 1 && given === channels,
    strides[0] === rows && strides[1] === columns,
    (call.ints('dilations') ?? []).every((step) => step === 1),
    (call.ints('pads') ?? []).every((pad) => pad === 0),
    ['NOTSET', 'VALID'].includes(call.text('auto_pad', 'NOTSET')),
    height % rows === 0 && width % columns === 0,
  ].every(Boolean);
  if (!isPlain) throw call.refused('is a convolution that does more than cut patches');
  const [down, across] = [height / rows, width / columns];
  const cut = op.reshape(x.tensor, [batch, channels, down, rows, across, columns]);
  const patches = op.reshape(op.transpose(cut, [0, 2, 4, 1, 3, 5]), [
    batch,
    down,
    across,
    channels * rows * columns,
  ]);
  const matrix = op.reshape(filters.tensor, [outputs, channels * rows * columns]);
  const seen = product(call, tensorValue(patches, 0), tensorValue(op.transpose(matrix, [1, 0]), null));
  const biased = call.has(2) ? op.add(seen.tensor, call.tensor(2).tensor) : seen.tensor;
  return [tensorValue(op.transpose(biased, [0, 3, 1, 2]), 0)];
};

export const productRules: Rules = { MatMul: matMul, Gemm: gemm, Conv: convolution };
