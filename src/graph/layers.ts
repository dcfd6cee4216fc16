/** Layers that the encoders share. Parameters are named as PyTorch names them: `<name>.weight`, `<name>.bias`. */
import { add, layerNorm, linear, matmul, mean, multiply, reshape } from './operators/index.ts';
import { glorot, ones, zeros } from './parameters.ts';
import { type FloatTensor, parameter } from './tensor.ts';

/** Weight (O, I) and bias (O) of a linear map. */
export function affineParameters(name: string, inputs: number, outputs: number) {
  return {
    weight: parameter(`${name}.weight`, [outputs, inputs], glorot),
    bias: parameter(`${name}.bias`, [outputs], zeros),
  };
}

/** x Wᵀ + b: (…, I) → (…, O). */
export function affine(name: string, x: FloatTensor, outputs: number): FloatTensor {
  const { weight, bias } = affineParameters(name, x.shape.at(-1)!, outputs);
  return linear(x, weight, bias);
}

/** Weight (O, I) of a linear map without bias. */
export function weightOf(name: string, inputs: number, outputs: number): FloatTensor {
  return parameter(`${name}.weight`, [outputs, inputs], glorot);
}

/**
 * The weights and bias with which a linear map of standardised values does what `weight` (O, I) and `bias` (O)
 * do after a layer normalisation with scale and shift: small products of weights instead of two passes over
 * activations, and two more on the way back.
 */
export function foldNorm(name: string, weight: FloatTensor, bias: FloatTensor | null) {
  const [outputs, width] = weight.shape;
  const scale = parameter(`${name}.weight`, [width!], ones);
  const shift = parameter(`${name}.bias`, [width!], zeros);
  const moved = reshape(matmul(weight, reshape(shift, [width!, 1])), [outputs!]);
  return { weight: multiply(weight, scale), bias: bias === null ? moved : add(moved, bias) };
}

/** Layer normalisation over the last axis, with scale and shift. */
export function norm(name: string, x: FloatTensor): FloatTensor {
  const width = x.shape.at(-1)!;
  return layerNorm(x, parameter(`${name}.weight`, [width], ones), parameter(`${name}.bias`, [width], zeros));
}

/**
 * How places become one embedding. `mean`: their mean, as in the paper, which does not care where something is.
 * `layout`: all of them side by side, each narrowed first, which suits photos that are aligned.
 */
export const headNames = ['mean', 'layout'] as const;
export type HeadName = (typeof headNames)[number];

/** Numbers that the layout head keeps of each place. */
const keptOfPlace = 32;

/** (B, T, W) → (B, d) */
export function head(x: FloatTensor, name: HeadName, dimension: number): FloatTensor {
  const [batch, places, width] = x.shape;
  switch (name) {
    case 'mean':
      return affine('encoder.head', reshape(mean(x, [1]), [batch!, width!]), dimension);
    case 'layout': {
      const narrow = affine('encoder.head.place', x, keptOfPlace);
      return affine('encoder.head', reshape(narrow, [batch!, places! * keptOfPlace]), dimension);
    }
  }
}
