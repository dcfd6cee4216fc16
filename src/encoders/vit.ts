/** Vision transformer (Dosovitskiy et al., 2021): patches as words. */
import { add, matmul, relu, reshape, softmax, transpose } from '../graph/operators/index.ts';
import { normal } from '../graph/parameters.ts';
import { type FloatTensor, parameter, type Tensor } from '../graph/tensor.ts';
import { type Encoder, normalizeColours, requireDivides } from './encoder.ts';
import { affine, type HeadName, head, norm } from './layers.ts';

export interface VitConfig {
  readonly name: 'vit';
  /** Side of the photos and of the patches, in pixels. */
  readonly side: number;
  readonly patch: number;
  readonly width: number;
  readonly depth: number;
  readonly heads: number;
  /** Width of the hidden layer of each block, as a multiple of `width`. */
  readonly mlpRatio: number;
  readonly head: HeadName;
  /** Length of the embedding. */
  readonly dimension: number;
}

/** Letters in shapes: B photos, T patches, W width, H heads. */
export function vit(config: VitConfig): Encoder {
  const { side, patch, width, depth, dimension } = config;
  requireDivides('encoder.patch', patch, "the photos' side", side);
  requireDivides('encoder.heads', config.heads, 'encoder.width', width);
  return {
    side,
    dimension,
    forward(photos) {
      const patches = toPatches(photos, patch); // (B, T, 3 patch²)
      const [, count] = patches.shape;
      const embedded = affine('encoder.patch', normalizeColours(patches), width); // (B, T, W)
      let x = add(embedded, parameter('encoder.position', [count!, width], normal(0.02)));
      for (let index = 0; index < depth; index++) x = block(x, `encoder.blocks.${index}`, config);
      return head(norm('encoder.norm', x), config.head, dimension); // (B, d)
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
  const attended = add(x, selfAttention(norm(`${name}.norm1`, x), `${name}.attention`, heads));
  const hidden = relu(affine(`${name}.mlp.0`, norm(`${name}.norm2`, attended), width * mlpRatio));
  return add(attended, affine(`${name}.mlp.1`, hidden, width));
}

/** softmax(Q Kᵀ / √D) V with H heads of length D (Vaswani et al., 2017). (B, T, W) */
function selfAttention(x: FloatTensor, name: string, heads: number): FloatTensor {
  const [batch, count, width] = x.shape;
  const length = width! / heads;
  const project = (part: string) =>
    transpose(reshape(affine(`${name}.${part}`, x, width!), [batch!, count!, heads, length]), [0, 2, 1, 3]);
  const [query, key, value] = [project('query'), project('key'), project('value')]; // (B, H, T, D)
  const weights = softmax(matmul(query, key, { transposeB: true, alpha: 1 / Math.sqrt(length) })); // (B, H, T, T)
  const mixed = transpose(matmul(weights, value), [0, 2, 1, 3]); // (B, T, H, D)
  return affine(`${name}.output`, reshape(mixed, [batch!, count!, width!]), width!);
}
