/** Eigenvalues and eigenvectors of a dense symmetric matrix: Householder reflections, then implicit QL. */

export interface SymmetricEigen {
  /** Descending. (n) */
  readonly values: Float64Array;
  /** Row k is the unit eigenvector of values[k]; its entry of largest magnitude is positive. (n, n) */
  readonly vectors: Float64Array;
}

/** A symmetric tridiagonal matrix and the rotation to it: matrix = basisᵀ · tridiagonal · basis. */
interface Tridiagonal {
  readonly diagonal: Float64Array;
  /** Entry k stands beside diagonal[k] and diagonal[k + 1]; the last one is 0. (n) */
  readonly offDiagonal: Float64Array;
  /** Orthonormal rows. (n, n) */
  readonly basis: Float64Array;
}

const MAX_ITERATIONS = 60;

/** The rounding error of a matrix with largest entry 1: what is smaller beside the diagonal counts as zero. */
const NEGLIGIBLE = Number.EPSILON;

/**
 * All eigenpairs of a symmetric matrix, by Householder tridiagonalisation and the implicit QL algorithm with
 * Wilkinson's shift (Golub and Van Loan, Matrix Computations, sections 8.3.1 and 8.3.3).
 *
 * @param matrix row-major, only its symmetric part is meaningful. (n, n)
 * @throws RangeError when the size is not n², an entry is not finite or the matrix is not symmetric
 */
export function symmetricEigen(matrix: Float64Array, n: number): SymmetricEigen {
  const largest = requireSymmetric(matrix, n);
  if (largest === 0) return { values: new Float64Array(n), vectors: identity(n) };
  const scaled = matrix.map((value) => value / largest);
  const { diagonal, offDiagonal, basis } = tridiagonalise(scaled, n);
  diagonaliseByQl(diagonal, offDiagonal, basis, n);
  const order = Array.from(diagonal.keys()).sort((a, b) => diagonal[b]! - diagonal[a]! || a - b);
  const values = new Float64Array(n);
  const vectors = new Float64Array(n * n);
  for (const [rank, k] of order.entries()) {
    values[rank] = diagonal[k]! * largest;
    const vector = basis.subarray(k * n, (k + 1) * n);
    const sign = vector[largestMagnitude(vector)]! < 0 ? -1 : 1;
    for (let i = 0; i < n; i++) vectors[rank * n + i] = sign * vector[i]!;
  }
  return { values, vectors };
}

/** Returns the largest magnitude among the entries. */
function requireSymmetric(matrix: Float64Array, n: number): number {
  if (matrix.length !== n * n) throw new RangeError(`${matrix.length} entries are not a ${n} x ${n} matrix`);
  let largest = 0;
  for (const value of matrix) {
    if (!Number.isFinite(value)) throw new RangeError('the matrix holds a number that is not finite');
    largest = Math.max(largest, Math.abs(value));
  }
  for (let i = 0; i < n; i++) {
    for (let j = 0; j < i; j++) {
      if (Math.abs(matrix[i * n + j]! - matrix[j * n + i]!) > 1e-9 * largest) {
        throw new RangeError(`the matrix is not symmetric at (${i}, ${j})`);
      }
    }
  }
  return largest;
}

/** Works in place: the matrix ends up holding the reflections. Its entries must be at most 1 in magnitude. */
function tridiagonalise(a: Float64Array, n: number): Tridiagonal {
  const diagonal = new Float64Array(n);
  const offDiagonal = new Float64Array(n);
  for (let k = 0; k + 1 < n; k++) {
    offDiagonal[k] = reflect(a, n, k);
    diagonal[k] = a[k * n + k]!;
  }
  if (n > 0) diagonal[n - 1] = a[n * n - 1]!;
  return { diagonal, offDiagonal, basis: accumulateReflections(a, n) };
}

/**
 * Makes row and column k zero beyond the entry beside the diagonal, and returns that entry.
 * The unit reflection vector is left in row k, columns k + 1 … n - 1 (zero when nothing had to be done).
 */
function reflect(a: Float64Array, n: number, k: number): number {
  const v = a.subarray(k * n + k + 1, (k + 1) * n);
  const beside = v[0]!;
  const beyond = v.subarray(1);
  if (dot(beyond, beyond) < NEGLIGIBLE ** 2) {
    v.fill(0);
    return beside;
  }
  const norm = Math.sqrt(dot(v, v));
  // The sign that avoids cancellation in the next line.
  const target = beside > 0 ? -norm : norm;
  v[0] = beside - target;
  scale(v, 1 / Math.sqrt(dot(v, v)));
  const w = new Float64Array(v.length);
  for (let i = 0; i < v.length; i++) w[i] = 2 * dot(subRow(a, n, k, i), v);
  addScaled(w, v, -dot(v, w));
  for (let i = 0; i < v.length; i++) {
    const row = subRow(a, n, k, i);
    addScaled(row, w, -v[i]!);
    addScaled(row, v, -w[i]!);
  }
  return target;
}

/** Row i of the trailing square that starts at (k + 1, k + 1). */
function subRow(a: Float64Array, n: number, k: number, i: number): Float64Array {
  const row = (k + 1 + i) * n;
  return a.subarray(row + k + 1, row + n);
}

/** The product of the reflections kept in the rows of `a`, the last one first. (n, n), orthonormal rows */
function accumulateReflections(a: Float64Array, n: number): Float64Array {
  const basis = identity(n);
  for (let k = n - 2; k >= 0; k--) {
    const v = a.subarray(k * n + k + 1, (k + 1) * n);
    for (let i = 0; i < v.length; i++) {
      const row = subRow(basis, n, k, i);
      addScaled(row, v, -2 * dot(row, v));
    }
  }
  return basis;
}

/** Rotates the off-diagonal away in place; row k of the basis becomes the eigenvector of diagonal[k]. */
function diagonaliseByQl(diagonal: Float64Array, offDiagonal: Float64Array, basis: Float64Array, n: number) {
  for (let start = 0; start < n; start++) {
    for (let iteration = 0; ; iteration++) {
      const end = endOfBlock(offDiagonal, start);
      if (end === start) break;
      if (iteration === MAX_ITERATIONS) throw new Error('the QL iteration did not converge');
      qlStep(diagonal, offDiagonal, basis, n, start, end);
    }
  }
}

/** The last row of the unreduced block that begins at `start`. */
function endOfBlock(offDiagonal: Float64Array, start: number): number {
  let end = start;
  while (Math.abs(offDiagonal[end]!) > NEGLIGIBLE) end++;
  return end;
}

/** One implicit QL sweep over the rows start … end, with Wilkinson's shift. */
function qlStep(
  d: Float64Array,
  e: Float64Array,
  basis: Float64Array,
  n: number,
  start: number,
  end: number,
): void {
  const half = (d[start + 1]! - d[start]!) / (2 * e[start]!);
  const root = Math.hypot(half, 1);
  let g = d[end]! - d[start]! + e[start]! / (half + (half < 0 ? -root : root));
  let [sine, cosine, p] = [1, 1, 0];
  for (let i = end - 1; i >= start; i--) {
    const f = sine * e[i]!;
    const b = cosine * e[i]!;
    const r = Math.hypot(f, g);
    e[i + 1] = r;
    if (r === 0) {
      d[i + 1] = d[i + 1]! - p;
      e[end] = 0;
      return;
    }
    sine = f / r;
    cosine = g / r;
    g = d[i + 1]! - p;
    const t = (d[i]! - g) * sine + 2 * cosine * b;
    p = sine * t;
    d[i + 1] = g + p;
    g = cosine * t - b;
    rotateRows(basis, n, i, cosine, sine);
  }
  d[start] = d[start]! - p;
  e[start] = g;
  e[end] = 0;
}

function rotateRows(basis: Float64Array, n: number, i: number, cosine: number, sine: number): void {
  for (let upper = i * n; upper < (i + 1) * n; upper++) {
    const x = basis[upper]!;
    const y = basis[upper + n]!;
    basis[upper + n] = sine * x + cosine * y;
    basis[upper] = cosine * x - sine * y;
  }
}

function identity(n: number): Float64Array {
  const matrix = new Float64Array(n * n);
  for (let i = 0; i < n; i++) matrix[i * n + i] = 1;
  return matrix;
}

function dot(x: Float64Array, y: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < x.length; i++) sum += x[i]! * y[i]!;
  return sum;
}

function addScaled(x: Float64Array, y: Float64Array, factor: number): void {
  for (let i = 0; i < x.length; i++) x[i] = x[i]! + factor * y[i]!;
}

function scale(x: Float64Array, factor: number): void {
  for (let i = 0; i < x.length; i++) x[i] = x[i]! * factor;
}

function largestMagnitude(x: Float64Array): number {
  let best = 0;
  for (let i = 1; i < x.length; i++) if (Math.abs(x[i]!) > Math.abs(x[best]!)) best = i;
  return best;
}
