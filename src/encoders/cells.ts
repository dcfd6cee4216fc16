/** What a photo shows in each cell of a grid, computed without any parameter: its outlines and its colour. */
import { luma } from '../data/photos/colour.ts';
import {
  add,
  cast,
  concatenate,
  divide,
  matmul,
  multiply,
  reshape,
  split,
  squareRoot,
  subtract,
  sum,
  transpose,
} from '../graph/operators/index.ts';
import { constant, type FloatTensor, scalar } from '../graph/tensor.ts';
import type { Photos } from './encoder.ts';

/**
 * Added to the length of what a cell's outlines are told by, so that the noise of an empty background is not blown up.
 * In units of one black-white step at each pixel.
 */
const faint = 0.02;

/**
 * The outlines of each cell: the Fourier coefficients of its histogram of gradients by direction, which need no bins
 * (Liu et al., IJCV 2014). With m the length of a pixel's gradient and φ its direction, half a turn being the same
 * direction, they are the means of m, m cos 2φ, m sin 2φ, m cos 4φ, m sin 4φ, m cos 6φ and m sin 6φ over a cell, which
 * shares the pixels between its middle and the next one's with that cell. Each cell's are brought to about length 1.
 * @param photos (B, S, S, 3)
 * @param cells C on each side
 * @returns (B, 7, C · C), cells column by column
 */
export function cellOutlines(photos: Photos, cells: number): FloatTensor {
  const [batch, side] = photos.shape;
  const grey = reshape(matmul(floatsOf(photos), columnOf(luma.map((part) => part / 255))), [
    batch!,
    side!,
    side!,
  ]);
  const [dx, dy] = [difference(grey, 2), difference(grey, 1)];
  const [xx, yy] = [multiply(dx, dx), multiply(dy, dy)];
  // Far below one step of a byte squared: it only keeps a flat pixel's direction, which is 0 of nothing, finite.
  const squared = add(add(xx, yy), scalar(1e-8));
  const length = squareRoot(squared);
  // cos (k + 1)θ = 2 cos θ cos kθ − cos (k − 1)θ and the same of sines, with θ = 2φ.
  const cosine = divide(subtract(xx, yy), squared);
  const twice = add(cosine, cosine);
  const xy = multiply(dx, dy);
  const cosine2 = multiply(length, cosine);
  const sine2 = divide(add(xy, xy), length);
  const cosine4 = subtract(multiply(twice, cosine2), length);
  const sine4 = multiply(twice, sine2);
  const cosine6 = subtract(multiply(twice, cosine4), cosine2);
  const sine6 = subtract(multiply(twice, sine4), sine2);
  const pooled = pool([length, cosine2, sine2, cosine4, sine4, cosine6, sine6], cells, 1); // (B, 7, C²)
  const lengths = squareRoot(add(sum(multiply(pooled, pooled), [1]), scalar(faint * faint)));
  return divide(pooled, lengths);
}

/** The mean colour of each cell, −1 to 1: (B, S, S, 3) → (B, 3, C · C), cells column by column. */
export function cellColours(photos: Photos, cells: number): FloatTensor {
  const [batch, side] = photos.shape;
  const rows = reshape(floatsOf(photos), [batch!, side!, side! * 3]);
  return subtract(multiply(pool([rows], cells, 3), scalar(1 / 127.5)), scalar(1));
}

/**
 * Weighted means over the cells: channels (B, S, S · n), in which n values of a pixel stand side by side, to
 * (B, channels · n, C · C). As products of matrices, first along the rows, then along the columns.
 */
function pool(channels: readonly FloatTensor[], cells: number, values: number): FloatTensor {
  const [batch, side] = channels[0]!.shape;
  const along = constant('float32', shares(side!, cells, values), [side! * values, cells * values]);
  const down = constant('float32', shares(side!, cells, 1), [side!, cells]);
  const narrow = channels.map((channel) => matmul(channel, along)); // (B, S, n · C) each
  const beside = narrow.length === 1 ? narrow[0]! : concatenate(narrow, 2);
  const pooled = matmul(transpose(beside, [0, 2, 1]), down); // (B, channels · n · C, C)
  return reshape(pooled, [batch!, channels.length * values, cells * cells]);
}

/**
 * The part of each of `values` numbers of a pixel in each cell's mean of that number: all of it in the nearest cell
 * beyond the middles of the outer cells, else shared between the two nearest. (S, n) × (n, C), columns sum to 1.
 */
function shares(side: number, cells: number, values: number): Float32Array {
  const weights = new Float32Array(side * values * values * cells);
  for (let cell = 0; cell < cells; cell++) {
    const own = Array.from({ length: side }, (_, pixel) => {
      const place = Math.min(cells - 1, Math.max(0, ((pixel + 0.5) * cells) / side - 0.5));
      return Math.max(0, 1 - Math.abs(place - cell));
    });
    const total = own.reduce((a, b) => a + b, 0);
    for (const [pixel, weight] of own.entries()) {
      for (let value = 0; value < values; value++) {
        weights[(pixel * values + value) * values * cells + value * cells + cell] = weight / total;
      }
    }
  }
  return weights;
}

/** Next less previous value along an axis of (B, S, S), the edges repeated. */
function difference(grey: FloatTensor, axis: number): FloatTensor {
  const side = grey.shape[axis]!;
  const [first, rest] = split(grey, [1, side - 1], axis);
  const [most, last] = split(grey, [side - 1, 1], axis);
  return subtract(concatenate([rest!, last!], axis), concatenate([first!, most!], axis));
}

function floatsOf(photos: Photos): FloatTensor {
  return photos.type === 'uint8' ? cast(photos, 'float32') : photos;
}

function columnOf(values: readonly number[]): FloatTensor {
  return constant('float32', Float32Array.from(values), [values.length, 1]);
}
