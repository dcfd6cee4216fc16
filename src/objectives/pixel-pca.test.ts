import { describe, expect, it } from 'vitest';
import { thumbnail } from './pixel-pca.ts';

describe('the thumbnail', () => {
  it('is the mean colour of each cell, from 0 to 1', () => {
    const side = 16;
    const pixels = new Uint8Array(side * side * 3);
    // The first cell holds the four pixels (0, 0), (1, 0), (0, 1), (1, 1).
    pixels.set([255, 0, 51, 255, 0, 0], 0);
    pixels.set([0, 255, 0, 0, 255, 0], side * 3);
    const described = thumbnail.describe(pixels, side);
    expect(described).toHaveLength(192);
    expect(described[0]).toBeCloseTo(0.5, 6);
    expect(described[1]).toBeCloseTo(0.5, 6);
    expect(described[2]).toBeCloseTo(0.05, 6);
    expect(described.subarray(3).every((value) => value === 0)).toBe(true);
  });

  it('orders its cells by row, then column, then colour', () => {
    const pixels = new Uint8Array(8 * 8 * 3);
    pixels[(2 * 8 + 5) * 3 + 1] = 255;
    expect(thumbnail.describe(pixels, 8).indexOf(1)).toBe((2 * 8 + 5) * 3 + 1);
  });

  it('keeps a constant colour for any side, smaller than the thumbnail too', () => {
    for (const side of [3, 8, 13, 64]) {
      const described = thumbnail.describe(new Uint8Array(side * side * 3).fill(102), side);
      for (const value of described) expect(value).toBeCloseTo(0.4, 6);
    }
  });
});
