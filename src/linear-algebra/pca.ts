/** Principal component analysis of rows that may arrive in batches. */
import { symmetricEigen } from './symmetric-eigen.ts';

export interface Pca {
  /** (f) */
  readonly mean: Float64Array;
  /** Orthonormal directions, by descending variance. A direction without variance is all zero. (k, f) */
  readonly components: Float64Array;
  /** Variance of the fitted rows along each direction. (k) */
  readonly variances: Float64Array;
  /** The coordinates of rows (n, f) along the components, measured from the mean. (n, k) */
  project(rows: Float32Array): Float32Array;
}

/** Directions whose variance is below this share of the largest are rounding, not data. */
const NEGLIGIBLE = 1e-10;

/** Rows that are added to the sums of products at once: one pass over the matrix serves them all. */
const TOGETHER = 4;

/**
 * Counts, sums and sums of products: all that PCA needs to know of its rows. How the rows are divided into
 * batches makes no difference, not even in the last bit.
 */
export class Moments {
  readonly features: number;
  #count = 0;
  readonly #sums: Float64Array;
  /** Upper triangle only. (f, f) */
  readonly #products: Float64Array;
  /** The latest rows, which are not in the products yet; the unused ones are zero. (TOGETHER, f) */
  readonly #waiting: Float64Array;

  constructor(features: number) {
    this.features = features;
    this.#sums = new Float64Array(features);
    this.#products = new Float64Array(features * features);
    this.#waiting = new Float64Array(TOGETHER * features);
  }

  get count(): number {
    return this.#count;
  }

  /** @param rows row-major. (n, f) */
  add(rows: Float32Array): void {
    const f = this.features;
    const n = requireRows(rows, f);
    for (let row = 0; row < n; row++) {
      const place = (this.#count % TOGETHER) * f;
      for (let i = 0; i < f; i++) {
        const value = rows[row * f + i]!;
        this.#waiting[place + i] = value;
        this.#sums[i]! += value;
      }
      this.#count++;
      if (this.#count % TOGETHER === 0) this.#addProducts();
    }
  }

  #addProducts(): void {
    const f = this.features;
    const products = this.#products;
    const a = this.#waiting.subarray(0, f);
    const b = this.#waiting.subarray(f, 2 * f);
    const c = this.#waiting.subarray(2 * f, 3 * f);
    const d = this.#waiting.subarray(3 * f);
    for (let i = 0; i < f; i++) {
      const [ai, bi, ci, di] = [a[i]!, b[i]!, c[i]!, d[i]!];
      if (ai === 0 && bi === 0 && ci === 0 && di === 0) continue;
      const offset = i * f;
      for (let j = i; j < f; j++) {
        products[offset + j]! += ai * a[j]! + bi * b[j]! + ci * c[j]! + di * d[j]!;
      }
    }
    this.#waiting.fill(0);
  }

  /** @throws RangeError when nothing was added */
  mean(): Float64Array {
    if (this.#count === 0) throw new RangeError('no rows were added, so there is no mean');
    return this.#sums.map((sum) => sum / this.#count);
  }

  /** The covariance with divisor n. (f, f), symmetric */
  covariance(): Float64Array {
    const f = this.features;
    const mean = this.mean();
    this.#addProducts();
    const covariance = new Float64Array(f * f);
    for (let i = 0; i < f; i++) {
      for (let j = i; j < f; j++) {
        const value = this.#products[i * f + j]! / this.#count - mean[i]! * mean[j]!;
        covariance[i * f + j] = value;
        covariance[j * f + i] = value;
      }
    }
    return covariance;
  }
}

/**
 * The k directions of largest variance.
 * @throws RangeError when k exceeds the number of features, nothing was added or a value was not finite
 */
export function pcaOfMoments(moments: Moments, k: number): Pca {
  const f = moments.features;
  if (!Number.isInteger(k) || k < 1 || k > f) throw new RangeError(`${k} components of ${f} features`);
  const mean = moments.mean();
  const { values, vectors } = symmetricEigen(moments.covariance(), f);
  const components = vectors.slice(0, k * f);
  const variances = values.slice(0, k);
  for (let c = 0; c < k; c++) {
    if (variances[c]! > NEGLIGIBLE * values[0]!) continue;
    variances[c] = 0;
    components.fill(0, c * f, (c + 1) * f);
  }
  return { mean, components, variances, project: (rows) => project(rows, mean, components) };
}

/** PCA of rows that are all in memory. @param rows row-major. (n, f) */
export function pca(rows: Float32Array, features: number, k: number): Pca {
  const moments = new Moments(features);
  moments.add(rows);
  return pcaOfMoments(moments, k);
}

function project(rows: Float32Array, mean: Float64Array, components: Float64Array): Float32Array {
  const f = mean.length;
  const k = components.length / f;
  const n = requireRows(rows, f);
  const projected = new Float32Array(n * k);
  const centred = new Float64Array(f);
  for (let row = 0; row < n; row++) {
    for (let i = 0; i < f; i++) centred[i] = rows[row * f + i]! - mean[i]!;
    for (let c = 0; c < k; c++) {
      let sum = 0;
      for (let i = 0; i < f; i++) sum += centred[i]! * components[c * f + i]!;
      projected[row * k + c] = sum;
    }
  }
  return projected;
}

function requireRows(rows: Float32Array, features: number): number {
  const n = rows.length / features;
  if (!Number.isInteger(n))
    throw new RangeError(`${rows.length} values are not rows of ${features} features`);
  return n;
}
