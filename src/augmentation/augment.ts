/**
 * Augmentation as part of the graph, so that it runs where the encoder runs.
 *
 * Cropping, mirroring and blurring all mix pixels along the rows and along the columns separately: each photo
 * becomes rows · photo · columnsᵀ with two S by S matrices of its own, which are built here from a few numbers.
 * On a CPU that takes less than half the time of GridSample, and the blur adds little to it.
 */
import {
  add,
  cast,
  clip,
  divide,
  hat,
  matmul,
  multiply,
  reshape,
  softmax,
  split,
  subtract,
  transpose,
} from '../graph/operators/index.ts';
import { constant, type FloatTensor, input, scalar, type Tensor } from '../graph/tensor.ts';
import type { AugmentationDraws } from './draw.ts';

/** What happens to each photo; see {@link AugmentationDraws}. */
export type AugmentationTensors = Readonly<Record<keyof AugmentationDraws, FloatTensor>>;

/** Squared pixels. So narrow a Gaussian has no weight at the next pixel: the photo stays sharp. */
const smallestVariance = 1e-3;

/**
 * Logarithm of the smallest weight. It changes nothing, but smaller ones would be too small for float32's usual
 * form, with which products are several times slower.
 */
const smallestExponent = -40;

/** Model inputs for what is drawn, for batches of this leading shape, by the names of `AugmentationDraws`. */
export function augmentationInputs(leading: readonly number[]): AugmentationTensors {
  return {
    view: input('view', 'float32', [...leading, 2, 2]),
    blur: input('blur', 'float32', leading),
    colour: input('colour', 'float32', [...leading, 3, 4]),
  };
}

/**
 * Photos as drawn: looked at in part or mirrored, with linear interpolation; then blurred; then coloured and
 * clipped. uint8 (B, S, S, 3) → float32 (B, S, S, 3) in 0 to 255, not rounded.
 */
export function augment(photos: Tensor<'uint8'>, draws: AugmentationTensors): FloatTensor {
  const [count = 0, side = 0] = photos.shape;
  const [down, across] = split(draws.view, [1, 1], 1);
  const blur = gaussian(draws.blur, side);
  const rows = matmul(blur, interpolation(down!, side)); // (B, S, S) new by old
  const columns = matmul(blur, interpolation(across!, side));

  // Each product puts the axis that it mixes last, which leaves the colours first without moving anything.
  const pixels = cast(reshape(photos, [count, side, side * 3]), 'float32'); // (B, y, x · 3)
  const mixed = matmul(pixels, rows, { transposeA: true, transposeB: true }); // (B, x · 3, y')
  const halfway = reshape(mixed, [count, side, 3 * side]); // (B, x, 3 · y')
  const planes = matmul(halfway, columns, { transposeA: true, transposeB: true }); // (B, 3 · y', x')

  const [matrix, offset] = split(draws.colour, [3, 1], 2); // (B, 3, 3), (B, 3, 1)
  const coloured = add(matmul(matrix!, reshape(planes, [count, 3, side * side])), offset!);
  return transpose(reshape(clip(coloured, 0, 255), [count, 3, side, side]), [0, 2, 3, 1]);
}

/**
 * The matrix that looks at a photo along one axis: scale and shift (B, 1, 2) → (B, S, S), new by old. Pixels are
 * little squares, so pixel i lies at (i + ½) / S; beyond the border the outermost pixel goes on.
 */
function interpolation(view: FloatTensor, side: number): FloatTensor {
  const [scale, shift] = split(view, [1, 1], 2); // (B, 1, 1) each
  const centres = constant(
    'float32',
    Float32Array.from({ length: side }, (_, i) => i + 0.5),
    [side, 1],
  );
  const start = subtract(multiply(shift!, scalar(side)), scalar(0.5));
  const places = clip(add(multiply(scale!, centres), start), 0, side - 1); // (B, S, 1)
  const pixels = constant(
    'float32',
    Float32Array.from({ length: side }, (_, i) => i),
    [side],
  );
  return hat(subtract(places, pixels));
}

/** Weights exp(−(i − j)² / 2σ²) of pixel j in pixel i, scaled to sum to 1 within the photo. (B) → (B, S, S) */
function gaussian(deviation: FloatTensor, side: number): FloatTensor {
  const pixels = multiply(reshape(deviation, [deviation.shape[0]!, 1, 1]), scalar(side));
  const variance = clip(multiply(pixels, pixels), smallestVariance, side ** 2);
  const squares = Float32Array.from(
    { length: side ** 2 },
    (_, k) => -0.5 * (Math.floor(k / side) - (k % side)) ** 2,
  );
  const exponents = divide(constant('float32', squares, [side, side]), variance);
  return softmax(clip(exponents, smallestExponent, 0));
}
