/** The real-valued side of an exposure, standardised: base features, and what a visual feature sees. */

import { type VisualFeature, widthOf } from '../data/visual-feature.ts';
import { CourierError } from '../errors.ts';
import type { RankerData } from './fields.ts';

/** Exposures whose values are in memory at a time while statistics are taken. */
const chunk = 4096;

/** A column that varies less than this, relative to its mean, is constant but for rounding. */
const smallestDeviation = 1e-6;

export interface ColumnGroups {
  /** Widths of the groups. */
  readonly groups: readonly number[];
  /** Whether a group of zeros means that there is nothing to see: it stays zero, and is not in the statistics. */
  readonly zeroIsAbsent: boolean;
}

/** Raw values by exposure, in groups of columns. */
interface Columns extends ColumnGroups {
  /** (n) → (n, width) */
  fill(rows: Int32Array, out: Float32Array): void;
  nameOf(column: number): string;
}

/** The base features of a log. */
export function baseColumns({ exposures }: RankerData): Columns {
  const { numeric } = exposures;
  const width = numeric.names.length;
  return {
    groups: width === 0 ? [] : [width],
    zeroIsAbsent: false,
    fill: (rows, out) => numeric.fill(rows, out),
    nameOf: (column) => numeric.names[column] ?? '',
  };
}

/** The dense values of a visual feature; none without one. */
export function visualColumns(feature: VisualFeature | null): Columns {
  return {
    groups: feature?.groups ?? [],
    zeroIsAbsent: true,
    fill: (rows, out) => feature?.fill(rows, out),
    nameOf: (column) => `${feature?.name}[${column}]`,
  };
}

/** Exposures at most that quantiles are taken from. */
const quantileRows = 100_000;

/** Pieces of the values of columns; of a column with fewer values some are empty, with scale 0. */
export interface Pieces {
  /** Q, of each column. */
  readonly count: number;
  /** Where each begins. (N · Q) */
  readonly lower: Float32Array;
  /** 1 / length of each. (N · Q) */
  readonly scale: Float32Array;
}

/** Ends of at most `count` pieces: distinct quantiles, from the smallest value to the largest. */
function quantilesOf(sorted: Float32Array, distinct: Float32Array, count: number): Float32Array {
  const ends = Float32Array.from({ length: count + 1 }, (_, end) => {
    return sorted[Math.round((end / count) * (sorted.length - 1))]!;
  });
  const own = ends.filter((value, place) => value !== ends[place - 1]);
  return own.length > 1 ? own : distinct.subarray(0, 2);
}

export class DenseColumns {
  /** Number of columns. */
  readonly width: number;
  /** Of the training exposures, and 1 / deviation, which is 0 for a constant column. */
  readonly mean: Float64Array;
  readonly scale: Float64Array;
  /** Pieces between quantiles of the training exposures, in standardised values; null without any. */
  readonly pieces: Pieces | null;
  readonly #columns: Columns;

  /**
   * Takes mean and deviation from the training exposures, and quantiles from some of them.
   * @param pieceCount between how many quantiles values are also told apart, each piece on its own
   * @throws CourierError VALUE_INVALID naming a column with a value that is not finite
   */
  constructor(columns: Columns, trainingRows: Int32Array, pieceCount = 0) {
    this.#columns = columns;
    this.width = widthOf(columns);
    const { mean, deviation } = this.#statistics(trainingRows);
    this.mean = mean;
    this.scale = deviation.map((value, column) =>
      value > smallestDeviation * Math.abs(mean[column]!) ? 1 / value : 0,
    );
    this.pieces = pieceCount === 0 || this.width === 0 ? null : this.#piecesOf(trainingRows, pieceCount);
  }

  /** Writes the standardised values of these exposures. (n) → (n, width) */
  fill(rows: Int32Array, out: Float32Array): void {
    this.#columns.fill(rows, out);
    this.#requireFinite(rows, out);
    standardize(out, rows.length, this.#columns, this);
    out.fill(0, rows.length * this.width);
  }

  #statistics(rows: Int32Array): { mean: Float64Array; deviation: Float64Array } {
    // Welford (1962): one pass, and no difference of large sums.
    const { width } = this;
    const mean = new Float64Array(width);
    const squares = new Float64Array(width);
    const counts = new Float64Array(width);
    const raw = new Float32Array(Math.min(chunk, rows.length) * width);
    for (let from = 0; from < rows.length; from += chunk) {
      const part = rows.subarray(from, from + chunk);
      this.#columns.fill(part, raw);
      this.#requireFinite(part, raw);
      forEachPresent(raw, part.length, this.#columns, (at, column) => {
        counts[column]! += 1;
        const before = raw[at]! - mean[column]!;
        mean[column]! += before / counts[column]!;
        squares[column]! += before * (raw[at]! - mean[column]!);
      });
    }
    return { mean, deviation: squares.map((sum, column) => Math.sqrt(sum / Math.max(1, counts[column]!))) };
  }

  #piecesOf(rows: Int32Array, count: number): Pieces {
    const { width } = this;
    const every = Math.max(1, Math.ceil(rows.length / quantileRows));
    const sample = rows.filter((_, place) => place % every === 0);
    const values = new Float32Array(sample.length * width);
    this.fill(sample, values);
    const lower = new Float32Array(width * count);
    const scale = new Float32Array(width * count);
    for (let column = 0; column < width; column++) {
      const own = Float32Array.from(sample, (_, index) => values[index * width + column]!).sort();
      // Values that many exposures share, such as 0, would be several quantiles: those that differ are dealt out.
      const distinct = own.filter((value, place) => value !== own[place - 1]);
      const ends = distinct.length <= count + 1 ? distinct : quantilesOf(own, distinct, count);
      for (let piece = 0; piece + 1 < ends.length; piece++) {
        lower[column * count + piece] = ends[piece]!;
        scale[column * count + piece] = 1 / (ends[piece + 1]! - ends[piece]!);
      }
    }
    return { count, lower, scale };
  }

  #requireFinite(rows: Int32Array, values: Float32Array): void {
    const { width } = this;
    for (let i = 0; i < rows.length * width; i++) {
      if (!Number.isFinite(values[i]!)) throw this.#notFinite(i % width, rows[Math.floor(i / width)]!);
    }
  }

  #notFinite(column: number, row: number): CourierError {
    return new CourierError(
      'VALUE_INVALID',
      `Column ${this.#columns.nameOf(column)} of exposure ${row} is not a finite number.`,
      'Ingest the dataset again; for a visual feature, embed the catalogue again.',
    );
  }
}

/** Standardises rows in place. (n, width) @param standards mean and 1 / deviation of each column */
export function standardize(
  values: Float32Array,
  count: number,
  columns: ColumnGroups,
  { mean, scale }: { readonly mean: ArrayLike<number>; readonly scale: ArrayLike<number> },
): void {
  forEachPresent(values, count, columns, (at, column) => {
    values[at] = (values[at]! - mean[column]!) * scale[column]!;
  });
}

/** Goes through all values but those of absent groups. */
function forEachPresent(
  values: Float32Array,
  count: number,
  { groups, zeroIsAbsent }: ColumnGroups,
  use: (at: number, column: number) => void,
): void {
  for (let index = 0, at = 0; index < count; index++) {
    let column = 0;
    for (const width of groups) {
      if (!(zeroIsAbsent && isZero(values, at, width))) {
        for (let i = 0; i < width; i++) use(at + i, column + i);
      }
      at += width;
      column += width;
    }
  }
}

function isZero(values: Float32Array, from: number, length: number): boolean {
  for (let i = from; i < from + length; i++) if (values[i] !== 0) return false;
  return true;
}
