import { describe, expect, it } from 'vitest';
import { learningRateAt } from './schedule.ts';

describe('the learning rate', () => {
  it('rises in a line to its peak and falls along a cosine towards zero', () => {
    const rates = Array.from({ length: 100 }, (_, index) => learningRateAt(index + 1, 100, 1, 0.1));
    expect(rates[0]).toBeCloseTo(0.1, 10);
    expect(rates[9]).toBe(1);
    expect(rates[54]).toBeCloseTo(0.5, 1);
    expect(rates[99]).toBeLessThan(0.01);
    for (let step = 10; step < 100; step++) expect(rates[step]).toBeLessThan(rates[step - 1]!);
  });
});
