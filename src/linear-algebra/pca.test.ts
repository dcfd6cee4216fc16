import { describe, expect, it } from 'vitest';
import { Random } from '../random.ts';
import { Moments, pca, pcaOfMoments } from './pca.ts';

/** Rows whose features have decreasing spread and a mean far from zero. (n, f) */
function gaussianRows(n: number, f: number): Float32Array {
  const random = Random.seeded(3, 'pca test');
  return Float32Array.from({ length: n * f }, (_, i) => 5 + random.normal() / (1 + (i % f)));
}

describe('pca', () => {
  it('finds the line that the points lie on', () => {
    const rows = Float32Array.of(0, 0, 3, 4, 6, 8, 9, 12);
    const { mean, components, variances, project } = pca(rows, 2, 2);
    expect([...mean]).toEqual([4.5, 6]);
    expect(components[0]).toBeCloseTo(0.6, 12);
    expect(components[1]).toBeCloseTo(0.8, 12);
    expect(variances[0]).toBeCloseTo(31.25, 10);
    expect([...project(rows)].filter((_, i) => i % 2 === 0)).toEqual([-7.5, -2.5, 2.5, 7.5]);
  });

  it('rebuilds the covariance when every component is kept', () => {
    const [n, f] = [200, 6];
    const rows = gaussianRows(n, f);
    const { mean, components, variances } = pca(rows, f, f);
    for (let i = 0; i < f; i++) {
      for (let j = 0; j < f; j++) {
        let covariance = 0;
        for (let r = 0; r < n; r++) {
          covariance += ((rows[r * f + i]! - mean[i]!) * (rows[r * f + j]! - mean[j]!)) / n;
        }
        let rebuilt = 0;
        for (let c = 0; c < f; c++)
          rebuilt += variances[c]! * components[c * f + i]! * components[c * f + j]!;
        expect(rebuilt).toBeCloseTo(covariance, 10);
      }
    }
  });

  it('projects to uncorrelated coordinates with mean zero and the stated variances', () => {
    const [n, f, k] = [300, 5, 3];
    const fitted = pca(gaussianRows(n, f), f, k);
    const projected = fitted.project(gaussianRows(n, f));
    for (let a = 0; a < k; a++) {
      for (let b = 0; b <= a; b++) {
        let product = 0;
        for (let r = 0; r < n; r++) product += (projected[r * k + a]! * projected[r * k + b]!) / n;
        expect(product).toBeCloseTo(a === b ? fitted.variances[a]! : 0, 5);
      }
    }
  });

  it('gives the same bits whatever the batches', () => {
    const rows = gaussianRows(50, 4);
    const moments = new Moments(4);
    for (const [from, to] of [
      [0, 1],
      [1, 20],
      [20, 50],
    ] as const) {
      moments.add(rows.subarray(from * 4, to * 4));
    }
    expect(moments.count).toBe(50);
    expect(pcaOfMoments(moments, 2).project(rows)).toEqual(pca(rows, 4, 2).project(rows));
  });

  it('leaves directions without variance at zero', () => {
    const { components, variances } = pca(Float32Array.of(1, 1, 7, 2, 2, 7, 3, 3, 7), 3, 3);
    expect([...components.subarray(3)]).toEqual([0, 0, 0, 0, 0, 0]);
    expect([...variances.subarray(1)]).toEqual([0, 0]);
  });

  it('refuses what it cannot fit', () => {
    expect(() => pca(new Float32Array(0), 2, 1)).toThrow(/no rows/);
    expect(() => pca(new Float32Array(3), 2, 1)).toThrow(/rows of 2/);
    expect(() => pca(new Float32Array(4), 2, 3)).toThrow(/3 components/);
    expect(() => pca(Float32Array.of(1, Number.NaN), 2, 1)).toThrow(/not finite/);
  });
});
