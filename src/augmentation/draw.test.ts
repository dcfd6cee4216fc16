import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { luma } from '../data/photos/colour.ts';
import { Random } from '../random.ts';
import { type AugmentationConfig, defaultAugmentation, noAugmentation } from './config.ts';
import { drawAugmentations } from './draw.ts';

const photos = 40;
const rounding = 1e-5;

const share = fc.double({ min: 0, max: 1, noNaN: true });
const range = (min: number, max: number) =>
  fc
    .tuple(fc.double({ min, max, noNaN: true }), fc.double({ min, max, noNaN: true }))
    .map(([a, b]) => [Math.min(a, b), Math.max(a, b)] as const);
const configs: fc.Arbitrary<AugmentationConfig> = fc.record({
  crop: fc.record({ area: range(0.05, 1), stretch: fc.double({ min: 1, max: 3, noNaN: true }) }),
  flip: fc.record({ probability: share }),
  jitter: fc.record({
    probability: share,
    brightness: fc.double({ min: 0, max: 0.9, noNaN: true }),
    contrast: fc.double({ min: 0, max: 0.9, noNaN: true }),
    saturation: share,
  }),
  grey: fc.record({ probability: share }),
  blur: fc.record({ probability: share, deviation: range(0.001, 0.2) }),
});
const seeds = fc.integer({ min: 0, max: 1e6 });

function draw(config: AugmentationConfig, seed: number, count = photos) {
  return drawAugmentations(config, count, Random.seeded(seed, 'augmentation'));
}

/** The numbers of each photo. */
function rowsOf(values: Float32Array, width: number): number[][] {
  return Array.from({ length: values.length / width }, (_, row) => [
    ...values.subarray(row * width, (row + 1) * width),
  ]);
}

function within(value: number, [smallest, largest]: readonly [number, number]): boolean {
  return value >= smallest - rounding && value <= largest + rounding;
}

/** Brightness, contrast and saturation, read off the matrix and offset that they were folded into. */
function factorsOf(colour: readonly number[]) {
  const contrast = 1 - colour[3]! / 127.5;
  const gain = colour[0]! + colour[1]! + colour[2]!;
  const saturation = 1 - colour[1]! / (gain * luma[1]);
  return { brightness: gain / contrast, contrast, saturation };
}

describe('draws for augmentation', () => {
  it('look at a part of the photo with the area and the proportions of the configuration', () => {
    fc.assert(
      fc.property(configs, seeds, (config, seed) => {
        for (const [height, top, scale, shift] of rowsOf(draw(config, seed).view, 4)) {
          const width = Math.abs(scale!);
          const left = Math.min(shift!, shift! + scale!);
          expect(within(height! * width, config.crop.area)).toBe(true);
          expect(Math.max(height! / width, width / height!)).toBeLessThan(config.crop.stretch + rounding);
          for (const [start, length] of [
            [top!, height!],
            [left, width],
          ] as const) {
            expect(start).toBeGreaterThan(-rounding);
            expect(start + length).toBeLessThan(1 + rounding);
          }
        }
      }),
      { numRuns: 40 },
    );
  });

  it('blur by a deviation of the configuration or not at all', () => {
    fc.assert(
      fc.property(configs, seeds, (config, seed) => {
        for (const deviation of draw(config, seed).blur) {
          expect(deviation === 0 || within(deviation, config.blur.deviation)).toBe(true);
        }
      }),
    );
  });

  it('fold brightness, contrast and saturation within their strengths into one matrix', () => {
    fc.assert(
      fc.property(configs, seeds, (config, seed) => {
        const { brightness, contrast, saturation } = config.jitter;
        const strengths = { brightness, contrast, saturation };
        for (const colour of rowsOf(draw(config, seed).colour, 12)) {
          const factors = factorsOf(colour);
          for (const name of ['brightness', 'contrast', 'saturation'] as const) {
            const grey = name === 'saturation' && Math.abs(factors.saturation) < 1e-3;
            expect(grey || Math.abs(factors[name] - 1) < strengths[name] + 1e-3, name).toBe(true);
          }
        }
      }),
      { numRuns: 40 },
    );
  });

  it('happen as often as configured, and spread over their whole range', () => {
    const count = 4000;
    const { view, blur, colour } = draw(defaultAugmentation, 1, count);
    const views = rowsOf(view, 4);
    const areas = views.map(([height, , width]) => height! * Math.abs(width!));
    const colours = rowsOf(colour, 12).map(factorsOf);
    const often = (flags: readonly boolean[]) => flags.filter(Boolean).length / count;
    const { flip, grey, blur: blurring, jitter, crop } = defaultAugmentation;
    const sharp = often(colours.map(({ contrast }) => contrast === 1));
    expect(often(views.map(([, , width]) => width! < 0))).toBeCloseTo(flip.probability, 1);
    expect(often(colours.map(({ saturation }) => Math.abs(saturation) < 1e-3))).toBeCloseTo(
      grey.probability,
      1,
    );
    expect(often([...blur].map((deviation) => deviation > 0))).toBeCloseTo(blurring.probability, 1);
    expect(1 - sharp).toBeCloseTo(jitter.probability, 1);
    expect(Math.min(...areas)).toBeCloseTo(crop.area[0], 2);
    expect(Math.max(...areas)).toBeCloseTo(crop.area[1], 2);
  });

  it('are the same for the same seed, others for another, however the photos are grouped', () => {
    expect(draw(defaultAugmentation, 1)).toEqual(draw(defaultAugmentation, 1));
    expect(draw(defaultAugmentation, 1)).not.toEqual(draw(defaultAugmentation, 2));
    const random = Random.seeded(1, 'augmentation');
    const first = drawAugmentations(defaultAugmentation, 3, random);
    const rest = drawAugmentations(defaultAugmentation, photos - 3, random);
    const together = draw(defaultAugmentation, 1);
    for (const name of ['view', 'blur', 'colour'] as const) {
      expect([...first[name], ...rest[name]]).toEqual([...together[name]]);
    }
  });

  it('change nothing where nothing is configured', () => {
    const { view, blur, colour } = draw(noAugmentation, 1, 1);
    expect([...view]).toEqual([1, 0, 1, 0]);
    expect([...blur]).toEqual([0]);
    expect([...colour]).toEqual([1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0]);
  });
});
