/**
 * Vision transformer (Dosovitskiy et al., 2021): patches as words.
 *
 * Norms have no scale and shift, which the linear map after each could absorb, and the maps inside the blocks
 * have no bias (as in ViT-22B, Dehghani et al., 2023): every pass over activations that is left out counts.
 * For the same reason whatever is added to the stream between blocks is given mean 0 by its weights: a norm
 * subtracts the mean anyway, and then there is none to subtract.
 */

import { z } from 'zod';
import { requireDivides } from '../config.ts';
import { affineParameters, head, weightOf } from '../graph/layers.ts';
import {
  add,
  attend,
  linear,
  matmul,
  mean,
  project,
  relu,
  reshape,
  rmsNormalize,
  subtract,
  transpose,
} from '../graph/operators/index.ts';
import { normal } from '../graph/parameters.ts';
import { type FloatTensor, parameter } from '../graph/tensor.ts';
import { type Encoder, pixelsOf } from './encoder.ts';
import { floatPatches, foldColours } from './patches.ts';
import {
  embeddingDimension,
  encoderNameMeaning,
  type ForPhotos,
  headSetting,
  layerWidth,
  mlpRatio,
  patchSide,
} from './settings.ts';

export const vitSettings = z.strictObject({
  name: z.literal('vit').describe(encoderNameMeaning),
  patch: patchSide
    .default(8)
    .describe("Side of the patches in pixels; must divide the side of the dataset's photos."),
  width: layerWidth.default(96).describe('Width of every block.'),
  depth: z.int().min(1).max(48).default(3).describe('Number of blocks.'),
  heads: z.int().min(1).max(32).default(3).describe('Heads of the attention; must divide `width`.'),
  mlpRatio: mlpRatio.default(3),
  head: headSetting,
  dimension: embeddingDimension,
});

export type VitConfig = ForPhotos<z.output<typeof vitSettings>>;

/** Letters in shapes: B photos, T patches, W width, H heads. */
export function vit(config: VitConfig): Encoder {
  const { side, patch, width, depth, dimension } = config;
  requireDivides('encoder.patch', patch, "the photos' side", side);
  requireDivides('encoder.heads', config.heads, 'encoder.width', width);
  return {
    sees: pixelsOf(side),
    dimension,
    forward(photos) {
      const patches = floatPatches(photos, patch); // (B, T, 3 patch²)
      const [, count, length] = patches.shape;
      const embedding = affineParameters('encoder.patch', length!, width);
      const { weight, bias } = foldColours(embedding.weight, embedding.bias);
      const embedded = linear(patches, centred(weight, 0), centred(bias, 0)); // (B, T, W)
      const position = parameter('encoder.position', [count!, width], normal(0.02));
      let x = add(embedded, centred(position, 1));
      for (let index = 0; index < depth; index++) x = block(x, `encoder.blocks.${index}`, config);
      return head(rmsNormalize(x), config.head, dimension); // (B, d)
    },
  };
}

/** Pre-norm block: attention, then a two-layer perceptron, each added to its input. (B, T, W) */
function block(x: FloatTensor, name: string, { width, heads, mlpRatio }: VitConfig): FloatTensor {
  const attended = add(x, selfAttention(rmsNormalize(x), `${name}.attention`, heads));
  const up = weightOf(`${name}.mlp.0`, width, width * mlpRatio);
  const down = weightOf(`${name}.mlp.1`, width * mlpRatio, width);
  return add(attended, project(relu(project(rmsNormalize(attended), up)), centred(down, 0)));
}

/** Less its mean along an axis: of a weight (O, I), the mean over what it puts out. */
function centred(weight: FloatTensor, axis: number): FloatTensor {
  return subtract(weight, mean(weight, [axis]));
}

/** softmax(Q Kᵀ / √D) V with H heads of length D (Vaswani et al., 2017). (B, T, W) */
function selfAttention(x: FloatTensor, name: string, heads: number): FloatTensor {
  const [batch, count, width] = x.shape;
  const length = width! / heads;
  const part = (which: string) =>
    transpose(
      reshape(project(x, weightOf(`${name}.${which}`, width!, width!)), [batch!, count!, heads, length]),
      [0, 2, 1, 3],
    );
  const [query, key, value] = [part('query'), part('key'), part('value')]; // (B, H, T, D)
  const scores = matmul(query, key, { transposeB: true, alpha: 1 / Math.sqrt(length) }); // (B, H, T, T)
  const mixed = transpose(attend(scores, value), [0, 2, 1, 3]); // (B, T, H, D)
  const output = centred(weightOf(`${name}.output`, width!, width!), 0);
  return project(reshape(mixed, [batch!, count!, width!]), output);
}
