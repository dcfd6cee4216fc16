/** Layers that the encoders share. Parameters are named as PyTorch names them: `<name>.weight`, `<name>.bias`. */
import { layerNorm, linear, mean, reshape } from '../graph/operators/index.ts';
import { glorot, ones, zeros } from '../graph/parameters.ts';
import { type FloatTensor, parameter } from '../graph/tensor.ts';

/** x Wᵀ + b: (…, I) → (…, O). */
export function affine(name: string, x: FloatTensor, outputs: number): FloatTensor {
  const inputs = x.shape.at(-1)!;
  const weight = parameter(`${name}.weight`, [outputs, inputs], glorot);
  return linear(x, weight, parameter(`${name}.bias`, [outputs], zeros));
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
