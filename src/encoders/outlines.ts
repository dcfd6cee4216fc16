/**
 * Outlines and colours of the cells of a photo, compared by a small perceptron: for logs too small to learn from them
 * how to see. What a photo shows in each cell is computed (cells.ts), and only what matters of it is learned.
 */

import { z } from 'zod';
import { requireDivides } from '../config.ts';
import { affineParameters, weightOf } from '../graph/layers.ts';
import { add, concatenate, linear, project, relu, reshape } from '../graph/operators/index.ts';
import { cellColours, cellOutlines } from './cells.ts';
import { type Encoder, pixelsOf } from './encoder.ts';
import { embeddingDimension, encoderNameMeaning, type ForPhotos, layerWidth } from './settings.ts';

export const outlinesSettings = z.strictObject({
  name: z.literal('outlines').describe(encoderNameMeaning),
  cells: z
    .int()
    .min(1)
    .max(64)
    .default(8)
    .describe("Cells on each side; must divide the side of the dataset's photos."),
  width: layerWidth.default(512).describe('Width of the hidden layer.'),
  dimension: embeddingDimension,
});

export type OutlinesConfig = ForPhotos<z.output<typeof outlinesSettings>>;

/** Letters in shapes: B photos, C cells on each side, F = 10 · C · C numbers of a photo, W width, d dimension. */
export function outlines({ side, cells, width, dimension }: OutlinesConfig): Encoder {
  requireDivides('encoder.cells', cells, "the photos' side", side);
  return {
    sees: pixelsOf(side),
    dimension,
    forward(photos) {
      const shown = concatenate([cellOutlines(photos, cells), cellColours(photos, cells)], 1);
      const [batch, channels, places] = shown.shape;
      const length = channels! * places!;
      const flat = reshape(shown, [batch!, length]); // (B, F)
      const hidden = affineParameters('encoder.hidden', length, width);
      const bent = relu(linear(flat, hidden.weight, hidden.bias)); // (B, W)
      // Straight through as well: photos that show much the same are near each other before anything is learned.
      const straight = project(flat, weightOf('encoder.straight', length, dimension));
      return add(straight, project(bent, weightOf('encoder.output', width, dimension))); // (B, d)
    },
  };
}
