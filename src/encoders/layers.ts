/** Layers that the encoders share. Parameters are named as PyTorch names them: `<name>.weight`, `<name>.bias`. */
import { layerNorm, linear } from '../graph/operators/index.ts';
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
