/** Softmax, layer normalisation, unit length. */
import { apply, applyMany, only, operator } from '../operator.ts';
import { constant, type FloatTensor, scalar } from '../tensor.ts';
import { add, divide, multiply, squareRoot, subtract } from './elementwise.ts';
import { matmul, product, rowDot } from './matrix.ts';
import { mean, sum } from './reduce.ts';

/** Added to the variance unless said otherwise; PyTorch's default, which most published weights were trained with. */
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
 * softmax(scores) · values, for scores (…, n, m) and values (…, m, d): (…, n, d). The gradient of the scores is
 * W ∘ (G Vᵀ − rowsum(G ∘ O)) with the weights W, the output O and its gradient G: that sum is the one that softmax's own rule takes
 * over m places, Σ W ∘ (G Vᵀ), over d instead (Dao et al., 2022, FlashAttention, appendix B), which is worth it where d < m.
 */
export const attend = operator('attend', (scores: FloatTensor, values: FloatTensor): FloatTensor => {
  if (values.shape.at(-1)! >= scores.shape.at(-1)!) return matmul(softmax(scores), values);
  const weights = apply(
    {
      type: 'Softmax',
      inputs: [scores],
      attributes: { axis: { kind: 'int', value: -1 } },
      // What arrives is the scores' already: nobody but the product below sees the weights.
      gradient: (outputs) => [only(outputs)],
    },
    'float32',
    scores.shape,
  );
  const output: FloatTensor = product(weights, values, {}, (outputs) => {
    const g = only(outputs);
    const change = subtract(matmul(g, values, { transposeB: true }), rowDot(g, output));
    return [multiply(weights, change), matmul(weights, g, { transposeA: true })];
  });
  return output;
});

/**
 * (x − mean) / deviation along the last axis: layer normalisation without scale and shift.
 * The operator's own inverse deviation serves the gradient:
 * dx = (g − mean(g) − y · mean(g · y)) / deviation.
 */
export const standardize = operator(
  'standardize',
  (x: FloatTensor, epsilon: number = layerNormEpsilon): FloatTensor => {
    const width = x.shape.at(-1)!;
    const statistics = [...x.shape.slice(0, -1), 1];
    const outputs: readonly FloatTensor[] = applyMany(
      {
        type: 'LayerNormalization',
        inputs: [x, constant('float32', new Float32Array(width).fill(1), [width])],
        attributes: { axis: { kind: 'int', value: -1 }, epsilon: { kind: 'float', value: epsilon } },
        gradient: ([g]) => {
          if (g === undefined) throw new Error('standardize has one differentiable output');
          const [y, , inverse] = outputs;
          const along = multiply(y!, mean(multiply(g, y!), [-1]));
          return [multiply(subtract(subtract(g, mean(g, [-1])), along), inverse!), null];
        },
      },
      [x.shape, statistics, statistics],
    );
    return outputs[0]!;
  },
);

/**
 * x / √(mean(x²) + ε) along the last axis (Zhang and Sennrich, 2019), which is `standardize` for rows of mean 0, in
 * half the time: dx = (g − y · mean(g · y)) / √(…).
 */
export const rmsNormalize = operator('rmsNormalize', (x: FloatTensor): FloatTensor => {
  const variance = add(mean(multiply(x, x), [-1]), scalar(layerNormEpsilon));
  const root = squareRoot(variance);
  const inverse = apply({ type: 'Reciprocal', inputs: [root], gradient: null }, 'float32', root.shape);
  const output: FloatTensor = apply(
    {
      type: 'Mul',
      inputs: [x, inverse],
      gradient: (outputs) => {
        const g = only(outputs);
        const along = multiply(output, mean(multiply(g, output), [-1]));
        return [multiply(subtract(g, along), inverse), null];
      },
    },
    'float32',
    x.shape,
  );
  return output;
});

/** Layer normalisation along the last axis (Ba et al., 2016): standardised, then scaled and shifted. */
export function layerNorm(
  x: FloatTensor,
  scale: FloatTensor,
  shift: FloatTensor,
  epsilon = layerNormEpsilon,
): FloatTensor {
  return add(multiply(standardize(x, epsilon), scale), shift);
}

/** Rows scaled to unit length along the last axis; a zero row stays zero. */
export function l2Normalize(x: FloatTensor): FloatTensor {
  return divide(x, squareRoot(add(sum(multiply(x, x), [-1]), scalar(1e-12))));
}
