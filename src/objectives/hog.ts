/**
 * Histograms of oriented gradients (Dalal and Triggs, CVPR 2005): what the outlines in a photo tell, without
 * any learning beyond principal components.
 *
 * As in the paper: centred differences without smoothing, unsigned directions, magnitudes shared between the
 * nearest cells and directions, L2 normalisation. Ours: 8 directions, and every cell is
 * normalised by itself rather than in overlapping blocks, which is a quarter of the numbers and did as well.
 */

import { luma } from '../data/photos/colour.ts';
import type { Photos } from '../data/photos/image-cache.ts';
import type { Progress } from '../progress.ts';
import { type Descriptor, embedByDescriptor } from './descriptor.ts';

const CELLS = 8;
const DIRECTIONS = 8;
const CHANNELS = 3;

/**
 * Added to the length of a cell's histogram, so that the noise of an empty background is not blown up.
 * In units of one black-white step at each pixel of the cell.
 */
const FAINT = 0.02;

/** The two nearest bins of each pixel along one axis, and how its weight is split between them. */
interface Shares {
  /** Bin of the first share, -1 where it would lie before the first bin. (S) */
  readonly first: Int32Array;
  /** Weight of the second bin; the first one has the rest. (S) */
  readonly second: Float64Array;
}

export const orientedGradients: Descriptor = {
  stage: 'Oriented gradients',
  features: CELLS * CELLS * DIRECTIONS,
  components: 48,
  /** Normalised histograms by row, column and direction. (n, S, S, 3) → (n, 8 · 8 · 8) */
  describe(pixels, side) {
    const photoSize = side * side * CHANNELS;
    const photos = pixels.length / photoSize;
    const described = new Float32Array(photos * this.features);
    const shares = cellShares(side);
    for (let photo = 0; photo < photos; photo++) {
      const grey = greyOf(pixels.subarray(photo * photoSize, (photo + 1) * photoSize));
      const histograms = described.subarray(photo * this.features, (photo + 1) * this.features);
      addGradients(grey, side, shares, histograms);
      normaliseCells(histograms, (side / CELLS) ** 2);
    }
    return described;
  },
};

/**
 * Embeds every photo as the first 48 principal components of its oriented gradients, in rows of length 1.
 * @param fitRows photos of items known in the training period
 * @returns (M, 48)
 * @throws CourierError SPLIT_EMPTY when fitRows is empty
 */
export function embedByHog(
  photos: Photos,
  fitRows: Int32Array,
  progress: Progress,
  signal?: AbortSignal,
): Promise<Float32Array> {
  return embedByDescriptor(orientedGradients, photos, fitRows, progress, signal);
}

/** Luma, 0 to 1. (S, S, 3) → (S, S) */
function greyOf(pixels: Uint8Array): Float64Array {
  const [red, green, blue] = luma;
  const grey = new Float64Array(pixels.length / CHANNELS);
  for (let i = 0, pixel = 0; i < grey.length; i++, pixel += CHANNELS) {
    grey[i] = (red * pixels[pixel]! + green * pixels[pixel + 1]! + blue * pixels[pixel + 2]!) / 255;
  }
  return grey;
}

function cellShares(side: number): Shares {
  const first = new Int32Array(side);
  const second = new Float64Array(side);
  for (let pixel = 0; pixel < side; pixel++) {
    const centre = ((pixel + 0.5) * CELLS) / side - 0.5;
    first[pixel] = Math.floor(centre);
    second[pixel] = centre - Math.floor(centre);
  }
  return { first, second };
}

/** Adds every pixel's gradient to the histograms of the nearest cells. Edges of the photo are repeated. */
function addGradients(grey: Float64Array, side: number, shares: Shares, histograms: Float32Array): void {
  const line = new Float64Array((CELLS + 2) * DIRECTIONS);
  for (let y = 0; y < side; y++) {
    addLine(grey, side, y, shares, line);
    const first = shares.first[y]!;
    const second = shares.second[y]!;
    addToRow(histograms, first, line, 1 - second);
    addToRow(histograms, first + 1, line, second);
  }
}

/**
 * The histograms of one line of pixels, shared between columns and directions. Gives `line` one cell more at
 * either end, for the shares that fall outside of the photo.
 */
function addLine(grey: Float64Array, side: number, y: number, shares: Shares, line: Float64Array): void {
  line.fill(0);
  const here = y * side;
  const above = Math.max(0, y - 1) * side;
  const below = Math.min(side - 1, y + 1) * side;
  for (let x = 0; x < side; x++) {
    const dx = grey[here + Math.min(side - 1, x + 1)]! - grey[here + Math.max(0, x - 1)]!;
    const dy = grey[below + x]! - grey[above + x]!;
    if (dx === 0 && dy === 0) continue;
    // Direction 0 is a change along x; half a turn further is the same direction.
    const turn = Math.atan2(dy, dx) / Math.PI;
    const direction = (turn < 0 ? turn + 1 : turn) * DIRECTIONS;
    const bin = Math.floor(direction);
    const near = bin % DIRECTIONS;
    const next = (bin + 1) % DIRECTIONS;
    const magnitude = Math.sqrt(dx * dx + dy * dy);
    const toNext = magnitude * (direction - bin);
    const toNear = magnitude - toNext;
    const right = shares.second[x]!;
    const cell = (shares.first[x]! + 1) * DIRECTIONS;
    line[cell + near]! += toNear * (1 - right);
    line[cell + next]! += toNext * (1 - right);
    line[cell + DIRECTIONS + near]! += toNear * right;
    line[cell + DIRECTIONS + next]! += toNext * right;
  }
}

function addToRow(histograms: Float32Array, row: number, line: Float64Array, weight: number): void {
  if (row < 0 || row >= CELLS) return;
  const width = CELLS * DIRECTIONS;
  for (let i = 0; i < width; i++) histograms[row * width + i]! += weight * line[DIRECTIONS + i]!;
}

/** Scales every cell's histogram to about length 1, in place. @param area of a cell in pixels */
function normaliseCells(histograms: Float32Array, area: number): void {
  const floor = (FAINT * area) ** 2;
  for (let start = 0; start < histograms.length; start += DIRECTIONS) {
    let squares = floor;
    for (let i = start; i < start + DIRECTIONS; i++) squares += histograms[i]! ** 2;
    const length = Math.sqrt(squares);
    for (let i = start; i < start + DIRECTIONS; i++) histograms[i]! /= length;
  }
}
