import { describe, expect, it } from 'vitest';
import { normalQuantile975, upperTail } from './normal.ts';
import { studentQuantile, studentTwoSided } from './student-t.ts';

describe("the quantiles of Student's t", () => {
  it('are those of published tables', () => {
    const published = [
      [0.8, 1, 1.376382],
      [0.975, 1, 12.706205],
      [0.975, 2, 4.302653],
      [0.975, 4, 2.776445],
      [0.975, 9, 2.262157],
      [0.975, 30, 2.042272],
      [0.995, 1, 63.656741],
      [0.9995, 5, 6.868827],
      [0.8, 10, 0.879058],
    ] as const;
    for (const [share, df, quantile] of published)
      expect(studentQuantile(share, df)).toBeCloseTo(quantile, 5);
  });

  it('have the closed forms of one and two degrees of freedom, also far out', () => {
    for (const tail of [0.3, 0.025, 1e-4, 1e-8, 1e-12]) {
      const one = 1 / Math.tan(Math.PI * tail);
      const two = (1 - 2 * tail) / Math.sqrt(2 * tail * (1 - tail));
      expect(-studentQuantile(tail, 1) / one).toBeCloseTo(1, 6);
      expect(-studentQuantile(tail, 2) / two).toBeCloseTo(1, 6);
    }
  });

  it('come near those of the normal distribution for many degrees of freedom', () => {
    expect(studentQuantile(0.975, 1e6)).toBeCloseTo(normalQuantile975, 4);
  });
});

describe("the two-sided p-value of Student's t", () => {
  it('has the closed forms of one and two degrees of freedom', () => {
    for (const t of [0, 0.5, 2, 10, 300]) {
      expect(studentTwoSided(t, 1)).toBeCloseTo(1 - (2 / Math.PI) * Math.atan(t), 8);
      expect(studentTwoSided(-t, 2)).toBeCloseTo(1 - t / Math.sqrt(2 + t * t), 8);
    }
  });

  it('undoes the quantile, and comes near the normal one for many degrees of freedom', () => {
    for (const df of [3, 17.5, 400, 1e6])
      for (const p of [0.6, 0.05, 1e-3, 1e-6])
        expect(studentTwoSided(studentQuantile(p / 2, df), df) / p).toBeCloseTo(1, 4);
    expect(studentTwoSided(2.5, 1e6)).toBeCloseTo(2 * upperTail(2.5), 6);
  });
});
