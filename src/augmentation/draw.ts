/** The random part of augmentation: a few numbers per photo, which the graph turns into pictures. */
import { luma } from '../data/photos/colour.ts';
import type { Random } from '../random.ts';
import type { AugmentationConfig, Range } from './config.ts';

/** What happens to each of B photos. */
export interface AugmentationDraws {
  /**
   * Where a photo is looked at: position u of the new photo shows position `scale` · u + `shift` of the old one,
   * both counted from 0 to 1. A negative scale mirrors. (B, 2, 2): down and across; scale and shift
   */
  readonly view: Float32Array;
  /** Standard deviation of the blur as a share of the side; 0 leaves the photo sharp. (B) */
  readonly blur: Float32Array;
  /** New colour = matrix · old colour + offset, in 0 to 255. (B, 3, 4): the matrix, then the offset */
  readonly colour: Float32Array;
}

/** What contrast moves colours away from or towards: the same for every photo, so the offset is known here. */
const midGrey = 127.5;

/**
 * Draws for `photos` photos, one after the other. Each takes the same number of draws from the generator, so
 * drawing for 2 and then for 3 photos gives what drawing for 5 gives.
 */
export function drawAugmentations(
  config: AugmentationConfig,
  photos: number,
  random: Random,
): AugmentationDraws {
  const view = new Float32Array(photos * 4);
  const blur = new Float32Array(photos);
  const colour = new Float32Array(photos * 12);
  for (let photo = 0; photo < photos; photo++) {
    view.set(drawView(config, random), photo * 4);
    colour.set(drawColour(config, random), photo * 12);
    const blurred = happens(config.blur.probability, random);
    const deviation = between(config.blur.deviation, random);
    blur[photo] = blurred ? deviation : 0;
  }
  return { view, blur, colour };
}

/**
 * A crop whose area and proportions are as configured, anywhere in the photo; then perhaps mirrored. The
 * proportions are drawn, uniformly on the logarithm, from those of which a crop of that area fits.
 */
function drawView({ crop, flip }: AugmentationConfig, random: Random): readonly number[] {
  const area = between(crop.area, random);
  const stretch = Math.min(crop.stretch, 1 / area);
  const proportions = Math.exp(between([-1, 1], random) * Math.log(stretch));
  const height = Math.min(1, Math.sqrt(area / proportions));
  const width = Math.min(1, Math.sqrt(area * proportions));
  const top = (1 - height) * random.uniform();
  const left = (1 - width) * random.uniform();
  return happens(flip.probability, random) ? [height, top, -width, left + width] : [height, top, width, left];
}

/**
 * Brightness multiplies, contrast moves away from mid grey, saturation moves away from each pixel's own grey:
 * one after the other a matrix g · (s I + (1 − s) 1 lumaᵀ) and an offset. Grey photos have no saturation.
 */
function drawColour({ jitter, grey }: AugmentationConfig, random: Random): readonly number[] {
  const jittered = happens(jitter.probability, random);
  const [brightness, contrast, saturation] = [jitter.brightness, jitter.contrast, jitter.saturation].map(
    (strength) => between([1 - strength, 1 + strength], random),
  );
  const colourless = happens(grey.probability, random);
  return colourMatrix(
    jittered ? brightness! : 1,
    jittered ? contrast! : 1,
    colourless ? 0 : jittered ? saturation! : 1,
  );
}

/** Brightness, then contrast, then saturation, 1 leaving each as it is. (3, 4): the matrix, then the offset */
export function colourMatrix(brightness: number, contrast: number, saturation: number): readonly number[] {
  const gain = brightness * contrast;
  const offset = (1 - contrast) * midGrey;
  return luma.flatMap((_, to) => [
    ...luma.map((weight, from) => gain * ((1 - saturation) * weight + (from === to ? saturation : 0))),
    offset,
  ]);
}

function between([smallest, largest]: Range, random: Random): number {
  return smallest + (largest - smallest) * random.uniform();
}

function happens(probability: number, random: Random): boolean {
  return random.uniform() < probability;
}
