/** Resampling along one axis as a matrix, so that a product does it on every device. */
import { constant, type FloatTensor } from '../graph/tensor.ts';

/**
 * Linear interpolation between the middles of pixels, `half_pixel` in ONNX's words. Where it shrinks, it averages
 * over all pixels that a new one covers, as Pillow does, instead of leaving some out. (to, from)
 */
export function interpolation(to: number, from: number): FloatTensor {
  const step = from / to;
  const reach = Math.max(1, step);
  return matrix(to, from, (row, column) => {
    const middle = (row + 0.5) * step - 0.5;
    return Math.max(0, 1 - Math.abs(column - middle) / reach);
  });
}

/** The mean over the part of a grid that each cell of a coarser one covers, row after row. (to², from²) */
export function gridCoverage(to: number, from: number): FloatTensor {
  return matrix(to * to, from * from, (row, column) => {
    const vertical = overlap(Math.floor(row / to), to, Math.floor(column / from), from);
    return vertical * overlap(row % to, to, column % from, from);
  });
}

/** How much of the unit length of `column` among `from` lies in that of `row` among `to`. */
function overlap(row: number, to: number, column: number, from: number): number {
  const [start, end] = [(row * from) / to, ((row + 1) * from) / to];
  return Math.max(0, Math.min(end, column + 1) - Math.max(start, column));
}

/** Rows that sum to 1. */
function matrix(rows: number, columns: number, weight: (row: number, column: number) => number): FloatTensor {
  const values = new Float32Array(rows * columns);
  for (let row = 0; row < rows; row++) {
    const weights = Array.from({ length: columns }, (_, column) => weight(row, column));
    const sum = weights.reduce((a, b) => a + b, 0);
    values.set(
      weights.map((each) => each / sum),
      row * columns,
    );
  }
  return constant('float32', values, [rows, columns]);
}
