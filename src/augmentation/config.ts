/**
 * What may change about a photo between two looks at it.
 *
 * As in SimCLR (Chen et al., ICML 2020), but gentler: shop photos show one product, large and in the middle, and
 * its size, colour and print are what shoppers choose by. Hue is left alone for the same reason: a camera makes
 * a red bag darker or paler, but a blue bag is another product.
 */

import { z } from 'zod';

/** Values are drawn from it uniformly. */
export type Range = readonly [smallest: number, largest: number];

export interface AugmentationConfig {
  readonly crop: {
    /** Share of the photo's area that is kept, within (0, 1]. */
    readonly area: Range;
    /** Longer by shorter side of what is kept, at most; 1 for squares. It is then stretched to the whole photo. */
    readonly stretch: number;
  };
  /** How often left and right change places. */
  readonly flip: { readonly probability: number };
  /** Factors are drawn from [1 − strength, 1 + strength], strengths within [0, 1]. */
  readonly jitter: {
    readonly probability: number;
    readonly brightness: number;
    readonly contrast: number;
    readonly saturation: number;
  };
  /** How often all colour is lost. */
  readonly grey: { readonly probability: number };
  readonly blur: {
    readonly probability: number;
    /** Standard deviation of the Gaussian, as a share of the photo's side. */
    readonly deviation: Range;
  };
}

export const defaultAugmentation: AugmentationConfig = {
  crop: { area: [0.6, 1], stretch: 1.2 },
  flip: { probability: 0.5 },
  jitter: { probability: 0.8, brightness: 0.15, contrast: 0.15, saturation: 0.2 },
  grey: { probability: 0.1 },
  blur: { probability: 0.3, deviation: [0.002, 0.01] },
};

const share = z.number().min(0).max(1);
const areaShare = z.number().positive().max(1);

/** The smallest and the largest of what is drawn. */
const ascending = (value: z.ZodNumber) =>
  z.tuple([value, value]).refine(([least, most]) => least <= most, 'the first must not exceed the second');

/** How photos are altered before they are encoded. */
export const augmentationSettings = z.strictObject({
  crop: z
    .strictObject({
      area: ascending(areaShare)
        .default([...defaultAugmentation.crop.area])
        .describe("Smallest and largest share of the photo's area that is kept."),
      stretch: z
        .number()
        .min(1)
        .max(4)
        .default(defaultAugmentation.crop.stretch)
        .describe('Longer by shorter side of what is kept, at most; 1 for squares.'),
    })
    .prefault({})
    .describe('Which part of the photo is kept; it is then stretched to the whole photo.'),
  flip: z
    .strictObject({
      probability: share
        .default(defaultAugmentation.flip.probability)
        .describe('How often left and right change places.'),
    })
    .prefault({})
    .describe('Mirror images.'),
  jitter: z
    .strictObject({
      probability: share
        .default(defaultAugmentation.jitter.probability)
        .describe('How often colours are changed.'),
      brightness: share
        .default(defaultAugmentation.jitter.brightness)
        .describe('Strength s: brightness is multiplied by 1 − s to 1 + s.'),
      contrast: share
        .default(defaultAugmentation.jitter.contrast)
        .describe('Strength s: contrast is multiplied by 1 − s to 1 + s.'),
      saturation: share
        .default(defaultAugmentation.jitter.saturation)
        .describe('Strength s: saturation is multiplied by 1 − s to 1 + s.'),
    })
    .prefault({})
    .describe('Changes of colour.'),
  grey: z
    .strictObject({
      probability: share
        .default(defaultAugmentation.grey.probability)
        .describe('How often all colour is lost.'),
    })
    .prefault({})
    .describe('Grey photos.'),
  blur: z
    .strictObject({
      probability: share
        .default(defaultAugmentation.blur.probability)
        .describe('How often a photo is blurred.'),
      deviation: ascending(share)
        .default([...defaultAugmentation.blur.deviation])
        .describe("Smallest and largest standard deviation of the Gaussian, as a share of the photo's side."),
    })
    .prefault({})
    .describe('Blurred photos.'),
});

/** Leaves every photo as it is. */
export const noAugmentation: AugmentationConfig = {
  crop: { area: [1, 1], stretch: 1 },
  flip: { probability: 0 },
  jitter: { probability: 0, brightness: 0, contrast: 0, saturation: 0 },
  grey: { probability: 0 },
  blur: { probability: 0, deviation: [0, 0] },
};
