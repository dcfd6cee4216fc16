import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { symmetricEigen } from './symmetric-eigen.ts';

const symmetric = fc.integer({ min: 1, max: 12 }).chain((n) =>
  fc
    .array(fc.double({ min: -10, max: 10, noNaN: true }), { minLength: n * n, maxLength: n * n })
    .map((values) => {
      const matrix = new Float64Array(n * n);
      for (let i = 0; i < n; i++) {
        for (let j = 0; j < n; j++) matrix[i * n + j] = values[Math.max(i, j) * n + Math.min(i, j)]!;
      }
      return { n, matrix };
    }),
);

describe('symmetricEigen', () => {
  it('finds the eigenvalues of the discrete Laplacian, 2 - 2 cos(kπ / (n + 1))', () => {
    const n = 40;
    const matrix = new Float64Array(n * n);
    for (let i = 0; i < n; i++) {
      matrix[i * n + i] = 2;
      if (i > 0) matrix[i * n + i - 1] = -1;
      if (i + 1 < n) matrix[i * n + i + 1] = -1;
    }
    const { values } = symmetricEigen(matrix, n);
    for (let k = 1; k <= n; k++) {
      expect(values[n - k]).toBeCloseTo(2 - 2 * Math.cos((k * Math.PI) / (n + 1)), 12);
    }
  });

  it('finds a known pair of eigenvectors', () => {
    const { values, vectors } = symmetricEigen(Float64Array.of(2, 1, 1, 2), 2);
    const r = Math.SQRT1_2;
    expect([...values].map((v) => Number(v.toFixed(12)))).toEqual([3, 1]);
    expect(vectors[0]).toBeCloseTo(r, 12);
    expect(vectors[1]).toBeCloseTo(r, 12);
    expect(Math.abs(vectors[2]! + vectors[3]!)).toBeLessThan(1e-12);
  });

  it('rebuilds any symmetric matrix from orthonormal vectors and descending values', () => {
    fc.assert(
      fc.property(symmetric, ({ n, matrix }) => {
        const { values, vectors } = symmetricEigen(matrix, n);
        for (let i = 0; i < n; i++) {
          if (i > 0) expect(values[i]).toBeLessThanOrEqual(values[i - 1]!);
          for (let j = 0; j < n; j++) {
            let rebuilt = 0;
            let product = 0;
            for (let k = 0; k < n; k++) {
              rebuilt += values[k]! * vectors[k * n + i]! * vectors[k * n + j]!;
              product += vectors[i * n + k]! * vectors[j * n + k]!;
            }
            expect(Math.abs(rebuilt - matrix[i * n + j]!)).toBeLessThan(1e-10);
            expect(Math.abs(product - (i === j ? 1 : 0))).toBeLessThan(1e-12);
          }
        }
      }),
      { numRuns: 100 },
    );
  });

  it('converges on a large matrix of low rank', () => {
    const n = 200;
    const column = (i: number, k: number) => Math.sin((i + 1) * (k + 1));
    const matrix = new Float64Array(n * n);
    for (let i = 0; i < n; i++) {
      for (let j = 0; j < n; j++) {
        for (let k = 0; k < 3; k++) matrix[i * n + j]! += column(i, k) * column(j, k);
      }
    }
    const { values } = symmetricEigen(matrix, n);
    const trace = matrix.reduce((sum, value, i) => (i % (n + 1) === 0 ? sum + value : sum), 0);
    expect(values[0]! + values[1]! + values[2]!).toBeCloseTo(trace, 9);
    for (const value of values.subarray(3)) expect(Math.abs(value)).toBeLessThan(1e-11);
  });

  it('turns every vector so that its largest entry is positive', () => {
    const matrix = Float64Array.of(4, -1, 0.5, -1, 3, 0.2, 0.5, 0.2, -2);
    const { vectors } = symmetricEigen(matrix, 3);
    for (let k = 0; k < 3; k++) {
      const vector = [...vectors.subarray(3 * k, 3 * k + 3)];
      expect(Math.max(...vector)).toBe(Math.max(...vector.map(Math.abs)));
    }
  });

  it('refuses matrices that are not finite, not square or not symmetric', () => {
    expect(() => symmetricEigen(Float64Array.of(1, Number.NaN, Number.NaN, 1), 2)).toThrow(RangeError);
    expect(() => symmetricEigen(Float64Array.of(1, 2, 3), 2)).toThrow(RangeError);
    expect(() => symmetricEigen(Float64Array.of(1, 2, 3, 4), 2)).toThrow(RangeError);
  });
});
