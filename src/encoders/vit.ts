/** Vision transformer (Dosovitskiy et al., 2021): patches as words, mean pooling, a linear head. */
import {
  add,
  layerNorm,
  linear,
  matmul,
  mean,
  relu,
  reshape,
  softmax,
  transpose,
} from '../graph/operators/index.ts';
import { glorot, normal, ones, zeros } from '../graph/parameters.ts';
import { type FloatTensor, parameter, type Tensor } from '../graph/tensor.ts';
import { type Encoder, normalizeColours } from './encoder.ts';

export interface VitConfig {
  /** Side of the photos and of the patches, in pixels. */
  readonly side: number;
  readonly patch: number;
  readonly width: number;
  readonly depth: number;
  readonly heads: number;
  /** Width of the hidden layer of each block, as a multiple of `width`. */
  readonly mlpRatio: number;
  /** Length of the embedding. */
  readonly dimension: number;
}

/** Letters in shapes: B photos, T patches, W width, H heads. */
export function vit(config: VitConfig): Encoder {
  const { side, patch, width, depth, dimension } = config;
  if (side % patch !== 0) throw new Error(`patches of ${patch} do not tile a photo of ${side}`);
  if (width % config.heads !== 0)
    throw new Error(`a width of ${width} does not split into ${config.heads} heads`);
  return {
    side,
    dimension,
    forward(photos) {
      const patches = toPatches(photos, patch); // (B, T, 3 patch²)
      const [, count, length] = patches.shape;
      const embedded = affine('encoder.patch', normalizeColours(patches), length!, width); // (B, T, W)
      let x = add(embedded, parameter('encoder.position', [count!, width], normal(0.02)));
      for (let index = 0; index < depth; index++) x = block(x, `encoder.blocks.${index}`, config);
      const pooled = reshape(mean(norm('encoder.norm', x, width), [1]), [photos.shape[0]!, width]); // (B, W)
      return affine('encoder.head', pooled, width, dimension); // (B, d)
    },
  };
}

/** (B, S, S, 3) → (B, T, 3 patch²), patches in reading order; still bytes, the cheapest to move. */
function toPatches(photos: Tensor<'uint8'>, patch: number): Tensor<'uint8'> {
  const [batch, height, width] = photos.shape;
  const [rows, columns] = [height! / patch, width! / patch];
  const cut = reshape(photos, [batch!, rows, patch, columns, patch, 3]);
  return reshape(transpose(cut, [0, 1, 3, 2, 4, 5]), [batch!, rows * columns, patch * patch * 3]);
}

/** Pre-norm block: attention, then a two-layer perceptron, each added to its input. (B, T, W) */
function block(x: FloatTensor, name: string, { width, heads, mlpRatio }: VitConfig): FloatTensor {
  const attended = add(x, selfAttention(norm(`${name}.norm1`, x, width), `${name}.attention`, heads));
  const hidden = relu(
    affine(`${name}.mlp.0`, norm(`${name}.norm2`, attended, width), width, width * mlpRatio),
  );
  return add(attended, affine(`${name}.mlp.1`, hidden, width * mlpRatio, width));
}

/** softmax(Q Kᵀ / √D) V with H heads of length D (Vaswani et al., 2017). (B, T, W) */
function selfAttention(x: FloatTensor, name: string, heads: number): FloatTensor {
  const [batch, count, width] = x.shape;
  const length = width! / heads;
  const project = (part: string) =>
    transpose(
      reshape(affine(`${name}.${part}`, x, width!, width!), [batch!, count!, heads, length]),
      [0, 2, 1, 3],
    );
  const [query, key, value] = [project('query'), project('key'), project('value')]; // (B, H, T, D)
  const weights = softmax(matmul(query, key, { transposeB: true, alpha: 1 / Math.sqrt(length) })); // (B, H, T, T)
  const mixed = transpose(matmul(weights, value), [0, 2, 1, 3]); // (B, T, H, D)
  return affine(`${name}.output`, reshape(mixed, [batch!, count!, width!]), width!, width!);
}

function affine(name: string, x: FloatTensor, inputs: number, outputs: number): FloatTensor {
  return linear(
    x,
    parameter(`${name}.weight`, [outputs, inputs], glorot),
    parameter(`${name}.bias`, [outputs], zeros),
  );
}

function norm(name: string, x: FloatTensor, width: number): FloatTensor {
  return layerNorm(x, parameter(`${name}.weight`, [width], ones), parameter(`${name}.bias`, [width], zeros));
}
