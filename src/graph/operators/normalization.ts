/** Softmax, layer normalisation, unit length. */
import { apply, applyMany, only, operator } from '../operator.ts';
import { type FloatTensor, scalar, sizeOf } from '../tensor.ts';
import { add, divide, multiply, squareRoot, subtract } from './elementwise.ts';
import { mean, sum, sumTo } from './reduce.ts';

/** Added to the variance; PyTorch's default, which published weights were trained with. */
const layerNormEpsilon = 1e-5;

/** exp(x) / Σ exp(x) along the last axis. */
export const softmax = operator('softmax', (x: FloatTensor): FloatTensor => {
  const output: FloatTensor = apply(
    {
      type: 'Softmax',
      inputs: [x],
      attributes: { axis: { kind: 'int', value: -1 } },
      gradient: (outputs) => {
        const weighted = multiply(only(outputs), output);
        return [subtract(weighted, multiply(output, sum(weighted, [-1])))];
      },
    },
    'float32',
    x.shape,
  );
  return output;
});

/**
 * (x − mean) / deviation · scale + shift along the last axis (Ba et al., 2016).
 * The operator's own mean and inverse deviation serve the gradient.
 */
export const layerNorm = operator(
  'layerNorm',
  (x: FloatTensor, scale: FloatTensor, shift: FloatTensor): FloatTensor => {
    const statistics = [...x.shape.slice(0, -1), 1];
    const outputs: readonly FloatTensor[] = applyMany(
      {
        type: 'LayerNormalization',
        inputs: [x, scale, shift],
        attributes: { axis: { kind: 'int', value: -1 }, epsilon: { kind: 'float', value: layerNormEpsilon } },
        gradient: ([g]) => {
          if (g === undefined) throw new Error('layerNorm has one differentiable output');
          const [, average, inverse] = outputs;
          const normalized = multiply(subtract(x, average!), inverse!);
          const scaled = multiply(g, scale);
          const centred = subtract(scaled, mean(scaled, [-1]));
          const towardsX = multiply(
            inverse!,
            subtract(centred, multiply(normalized, mean(multiply(scaled, normalized), [-1]))),
          );
          return [towardsX, sumTo(multiply(g, normalized), scale.shape), sumTo(g, shift.shape)];
        },
      },
      [x.shape, statistics, statistics],
    );
    if (sizeOf(scale.shape) !== x.shape.at(-1))
      throw new Error(`[${scale.shape}] does not scale [${x.shape}]`);
    return outputs[0]!;
  },
);

/** Rows scaled to unit length along the last axis; a zero row stays zero. */
export function l2Normalize(x: FloatTensor): FloatTensor {
  return divide(x, squareRoot(add(sum(multiply(x, x), [-1]), scalar(1e-12))));
}
