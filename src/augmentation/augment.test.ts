import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { gradients } from '../graph/differentiate.ts';
import { buildModel } from '../graph/onnx.ts';
import { multiply, sumAll } from '../graph/operators/index.ts';
import { input, openLength } from '../graph/tensor.ts';
import { Random } from '../random.ts';
import { Engine, floats, type Session } from '../runtime/engine.ts';
import { augment, augmentationInputs } from './augment.ts';
import { defaultAugmentation, noAugmentation } from './config.ts';
import { type AugmentationDraws, colourMatrix, drawAugmentations } from './draw.ts';

const side = 32;
const size = side * side * 3;
const inputNames = ['photos', ...Object.keys(nothing())];

/** One photo left as it is. */
function nothing(): AugmentationDraws {
  return drawAugmentations(noAugmentation, 1, Random.seeded(0, 'nothing'));
}

function noise(count: number): Uint8Array {
  const random = Random.seeded(1, 'noise');
  return Uint8Array.from({ length: count * size }, () => random.integer(256));
}

/** Waves of a few pixels, other ones in each colour. */
const smooth = Uint8Array.from({ length: size }, (_, i) => {
  const [y, x, c] = [Math.floor(i / side / 3), Math.floor(i / 3) % side, i % 3];
  return Math.round(128 + 90 * Math.sin(0.35 * x + c) * Math.cos(0.25 * y - c));
});

function at(photo: ArrayLike<number>, y: number, x: number, c: number): number {
  return photo[(y * side + x) * 3 + c]!;
}

/** The largest difference at least `margin` pixels away from the border. */
function difference(a: ArrayLike<number>, b: ArrayLike<number>, margin = 0): number {
  expect(a.length).toBe(b.length);
  let largest = 0;
  for (let y = margin; y < side - margin; y++) {
    for (let x = margin; x < side - margin; x++) {
      for (let c = 0; c < 3; c++) largest = Math.max(largest, Math.abs(at(a, y, x, c) - at(b, y, x, c)));
    }
  }
  return largest;
}

function photoOf(value: (y: number, x: number, c: number) => number): Float64Array {
  return Float64Array.from({ length: size }, (_, i) =>
    value(Math.floor(i / side / 3), Math.floor(i / 3) % side, i % 3),
  );
}

/** The colour between four pixels. */
function interpolatedAt(photo: Uint8Array, y: number, x: number, c: number): number {
  const [top, left] = [Math.floor(y), Math.floor(x)];
  const [down, across] = [y - top, x - left];
  const along = (row: number) =>
    (1 - across) * at(photo, row, left, c) + across * at(photo, row, left + 1, c);
  return (1 - down) * along(top) + down * along(top + 1);
}

/** The mean of a photo's colours around (y, x), weighted by a Gaussian of `deviation` pixels. */
function blurredAt(photo: Uint8Array, deviation: number, y: number, x: number, c: number): number {
  let [sum, weights] = [0, 0];
  for (let otherY = 0; otherY < side; otherY++) {
    for (let otherX = 0; otherX < side; otherX++) {
      const weight = Math.exp(-((y - otherY) ** 2 + (x - otherX) ** 2) / (2 * deviation ** 2));
      sum += weight * at(photo, otherY, otherX, c);
      weights += weight;
    }
  }
  return sum / weights;
}

describe('augmented photos', () => {
  let engine: Engine;
  let session: Session;
  const photos = input('photos', 'uint8', [openLength, side, side, 3]);
  const augmented = augment(photos, augmentationInputs([openLength]));
  const openAxes = Object.fromEntries([...inputNames, 'augmented'].map((name) => [name, 'photos']));

  beforeAll(async () => {
    engine = Engine.start({ threads: 1 });
    session = await engine.load(buildModel({ outputs: { augmented }, openAxes }));
  });
  afterAll(() => engine.close());

  const run = async (batch: Uint8Array, draws: AugmentationDraws) =>
    floats(await session.run({ photos: batch, ...draws }), 'augmented');
  const changed = (photo: Uint8Array, draws: Partial<AugmentationDraws>) =>
    run(photo, { ...nothing(), ...draws });

  it('stay as they are without augmentation', async () => {
    expect(difference(await run(noise(1), nothing()), noise(1))).toBeLessThan(1e-4);
  });

  it('are mirrored by a negative scale', async () => {
    const photo = noise(1);
    const across = await changed(photo, { view: Float32Array.of(1, 0, -1, 1) });
    expect(
      difference(
        across,
        photoOf((y, x, c) => at(photo, y, side - 1 - x, c)),
      ),
    ).toBeLessThan(1e-4);
    const down = await changed(photo, { view: Float32Array.of(-1, 1, 1, 0) });
    expect(
      difference(
        down,
        photoOf((y, x, c) => at(photo, side - 1 - y, x, c)),
      ),
    ).toBeLessThan(1e-4);
  });

  it('are cropped by linear interpolation between the centres of pixels', async () => {
    const photo = noise(1);
    const [top, left, height, width] = [0.11, 0.23, 0.61, 0.47];
    const cropped = await changed(photo, { view: Float32Array.of(height, top, width, left) });
    const expected = photoOf((y, x, c) => {
      const oldY = height * (y + 0.5) + top * side - 0.5;
      const oldX = width * (x + 0.5) + left * side - 0.5;
      return interpolatedAt(photo, oldY, oldX, c);
    });
    expect(difference(cropped, expected)).toBeLessThan(0.01);
  });

  it('are cropped as sharp extracts and enlarges', async () => {
    const [left, top, width, height] = [4, 6, 20, 16];
    const expected = await sharp(smooth, { raw: { width: side, height: side, channels: 3 } })
      .extract({ left, top, width, height })
      .resize(side, side, { fit: 'fill', kernel: 'linear' })
      .raw()
      .toBuffer();
    // sharp moves what it enlarges by half a new pixel, right and down.
    const view = [height, top - height / side / 2, width, left - width / side / 2];
    const cropped = await changed(smooth, { view: Float32Array.from(view, (pixels) => pixels / side) });
    // At its border sharp does not see what lies around the crop.
    expect(difference(cropped, expected, 2)).toBeLessThan(2);
    expect(difference(smooth, expected, 2)).toBeGreaterThan(50);
  });

  it('go on as their outermost pixels beyond the border', async () => {
    const photo = noise(1);
    const shifted = await changed(photo, { view: Float32Array.of(1, 0.25, 1, 0) });
    const expected = photoOf((y, x, c) => at(photo, Math.min(side - 1, y + side / 4), x, c));
    expect(difference(shifted, expected)).toBeLessThan(1e-3);
  });

  it('are blurred by a Gaussian', async () => {
    const deviation = 1.7;
    const photo = noise(1);
    const blurred = await changed(photo, { blur: Float32Array.of(deviation / side) });
    const expected = photoOf((y, x, c) => blurredAt(photo, deviation, y, x, c));
    expect(difference(blurred, expected)).toBeLessThan(0.01);
    const reference = await sharp(photo, { raw: { width: side, height: side, channels: 3 } })
      .blur({ sigma: deviation, precision: 'float', minAmplitude: 0.001 })
      .raw()
      .toBuffer();
    expect(difference(blurred, reference, 7)).toBeLessThan(1.5);
  });

  it('are blurred after they are cropped, so that small crops are not blurred more', async () => {
    const view = Float32Array.of(0.5, 0.25, 0.5, 0.25);
    const cropped = Uint8Array.from(await changed(smooth, { view }), Math.round);
    const blur = Float32Array.of(2 / side);
    expect(difference(await changed(smooth, { view, blur }), await changed(cropped, { blur }))).toBeLessThan(
      1,
    );
  });

  it('are brightened, contrasted around mid grey, then saturated around their grey, and clipped', async () => {
    const [brightness, contrast, saturation] = [1.2, 0.7, 1.5];
    const photo = noise(1);
    const coloured = await changed(photo, {
      colour: Float32Array.from(colourMatrix(brightness, contrast, saturation)),
    });
    const contrasted = (y: number, x: number, c: number) =>
      127.5 + contrast * (brightness * at(photo, y, x, c) - 127.5);
    const expected = photoOf((y, x, c) => {
      const [red, green, blue] = [0, 1, 2].map((channel) => contrasted(y, x, channel));
      const grey = 0.299 * red! + 0.587 * green! + 0.114 * blue!;
      return Math.min(255, Math.max(0, grey + saturation * (contrasted(y, x, c) - grey)));
    });
    expect(difference(coloured, expected)).toBeLessThan(1e-3);
    expect(Math.max(...coloured)).toBe(255);
    expect(Math.min(...coloured)).toBe(0);
  });

  it('lose their colour with the weights of Rec. 601', async () => {
    const photo = noise(1);
    const grey = await changed(photo, { colour: Float32Array.from(colourMatrix(1, 1, 0)) });
    const expected = photoOf(
      (y, x) => 0.299 * at(photo, y, x, 0) + 0.587 * at(photo, y, x, 1) + 0.114 * at(photo, y, x, 2),
    );
    expect(difference(grey, expected)).toBeLessThan(1e-3);
  });

  it('each follow their own draws, alone and in any batch', async () => {
    const draws = drawAugmentations(defaultAugmentation, 5, Random.seeded(1, 'batch'));
    const all = await run(noise(5), draws);
    expect(all.length).toBe(5 * size);
    for (let photo = 0; photo < 5; photo++) {
      const part = (width: number) => [photo * width, (photo + 1) * width] as const;
      const alone = await run(noise(5).slice(...part(size)), {
        view: draws.view.slice(...part(4)),
        blur: draws.blur.slice(...part(1)),
        colour: draws.colour.slice(...part(12)),
      });
      expect(difference(alone, all.subarray(...part(size)))).toBeLessThan(1e-3);
      expect(difference(alone, noise(5).subarray(...part(size)))).toBeGreaterThan(10);
    }
  });

  it('let what comes after them be trained', async () => {
    const weight = input('weight', 'float32', [3]);
    const [gradient] = gradients(sumAll(multiply(augmented, weight)), [weight]);
    const training = await engine.load(buildModel({ outputs: { gradient: gradient!, augmented }, openAxes }));
    const draws = drawAugmentations(defaultAugmentation, 3, Random.seeded(2, 'training'));
    const feeds = { photos: noise(3), weight: Float32Array.of(1, 1, 1), ...draws };
    const results = await training.run(feeds);
    const sums = [0, 0, 0];
    for (const [i, value] of floats(results, 'augmented').entries()) sums[i % 3]! += value;
    for (const [c, value] of floats(results, 'gradient').entries()) {
      expect(value / sums[c]!).toBeCloseTo(1, 4);
    }
  });
});
