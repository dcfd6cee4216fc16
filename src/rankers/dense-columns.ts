/** The real-valued side of an exposure: base features and the visual feature, standardised. */
import { CourierError } from '../errors.ts';
import type { VisualFeature } from '../features/feature.ts';
import type { RankerData } from './fields.ts';

/** Exposures whose values are in memory at a time while statistics are taken. */
const chunk = 4096;

/** A column that varies less than this, relative to its mean, is constant but for rounding. */
const smallestDeviation = 1e-6;

export class DenseColumns {
  /** Number N of columns: base features, then the visual feature's. */
  readonly width: number;
  readonly #data: RankerData;
  readonly #feature: VisualFeature | null;
  readonly #mean: Float64Array;
  /** 1 / deviation, 0 for a constant column. */
  readonly #scale: Float64Array;

  /**
   * Takes mean and deviation from the training exposures.
   * @throws CourierError VALUE_INVALID naming a column with a value that is not finite
   */
  constructor(data: RankerData, feature: VisualFeature | null, trainingRows: Int32Array) {
    this.#data = data;
    this.#feature = feature;
    this.width = data.exposures.numericNames.length + (feature?.width ?? 0);
    const { mean, deviation } = this.#statistics(trainingRows);
    this.#mean = mean;
    this.#scale = deviation.map((value, column) =>
      value > smallestDeviation * Math.abs(mean[column]!) ? 1 / value : 0,
    );
  }

  /** Writes the standardised values of these exposures. (n) → (n, N) */
  fill(rows: Int32Array, out: Float32Array): void {
    const { width } = this;
    const raw = this.#raw(rows);
    for (let i = 0; i < raw.length; i++) {
      const column = i % width;
      out[i] = (raw[i]! - this.#mean[column]!) * this.#scale[column]!;
    }
  }

  #statistics(rows: Int32Array): { mean: Float64Array; deviation: Float64Array } {
    // Welford (1962): one pass, and no difference of large sums.
    const mean = new Float64Array(this.width);
    const squares = new Float64Array(this.width);
    for (let from = 0; from < rows.length; from += chunk) {
      const raw = this.#raw(rows.subarray(from, from + chunk));
      for (let i = 0; i < raw.length; i++) {
        const column = i % this.width;
        const count = from + Math.floor(i / this.width) + 1;
        const before = raw[i]! - mean[column]!;
        mean[column]! += before / count;
        squares[column]! += before * (raw[i]! - mean[column]!);
      }
    }
    return { mean, deviation: squares.map((sum) => Math.sqrt(sum / rows.length)) };
  }

  /** (n) → (n, N) */
  #raw(rows: Int32Array): Float32Array {
    const { numeric, numericNames } = this.#data.exposures;
    const base = numericNames.length;
    const visual = this.width - base;
    const seen = new Float32Array(rows.length * visual);
    this.#feature?.fill(rows, seen);
    const raw = new Float32Array(rows.length * this.width);
    for (const [index, row] of rows.entries()) {
      const at = index * this.width;
      for (let column = 0; column < base; column++) raw[at + column] = numeric[row * base + column]!;
      for (let column = 0; column < visual; column++)
        raw[at + base + column] = seen[index * visual + column]!;
    }
    const wrong = raw.findIndex((value) => !Number.isFinite(value));
    if (wrong !== -1) throw this.#notFinite(wrong % this.width, rows[Math.floor(wrong / this.width)]!);
    return raw;
  }

  #notFinite(column: number, row: number): CourierError {
    const { numericNames } = this.#data.exposures;
    const name = numericNames[column] ?? `${this.#feature?.name}[${column - numericNames.length}]`;
    return new CourierError(
      'VALUE_INVALID',
      `Column ${name} of exposure ${row} is not a finite number.`,
      'Ingest the dataset again; for a visual feature, embed the catalogue again.',
    );
  }
}
