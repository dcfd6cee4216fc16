/** What the settings of several encoders have in common. */
import { z } from 'zod';
import { headNames } from '../graph/layers.ts';

/** In pixels. */
export const patchSide = z.int().min(2).max(64);

export const layerWidth = z.int().min(8).max(2048);

export const headSetting = z
  .enum(headNames)
  .default('mean')
  .describe(
    '`mean` pooling as in the paper, or `layout`, which keeps where things are: better for aligned photos.',
  );

export const embeddingDimension = z.int().min(4).max(2048).default(128).describe('Length of the embeddings.');

/** Of transformers. */
export const mlpRatio = z
  .int()
  .min(1)
  .max(8)
  .describe('Width of the hidden layer of each block, as a multiple of its width.');

export const encoderNameMeaning =
  '`auto` is `outlines` on a small log and `vit-nano` on a large one; `vit` and `swin` have sizes of your own, `vit-nano`, `swin-nano` and `swin-tiny` known ones; `outlines` is for logs of fewer than some ten thousand clicks; `backbone` is a pretrained ONNX model with a learned head.';

/** Settings with the side of the photos in pixels, which the dataset decides. */
export type ForPhotos<Settings> = Readonly<Settings> & { readonly side: number };
