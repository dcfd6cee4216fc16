import { describe, expect, it } from 'vitest';
import { orientedGradients } from './hog.ts';

const SIDE = 32;

/** A grey photo from a function of place, both from 0 to 1. (S, S, 3) */
function photo(brightness: (x: number, y: number) => number, side = SIDE): Uint8Array {
  const pixels = new Uint8Array(side * side * 3);
  for (let y = 0; y < side; y++) {
    for (let x = 0; x < side; x++) {
      pixels.fill(
        255 * brightness((x + 0.5) / side, (y + 0.5) / side),
        (y * side + x) * 3,
        (y * side + x + 1) * 3,
      );
    }
  }
  return pixels;
}

/** The histograms summed over all cells, by direction: 0 is a change along x, 4 along y. (8) */
function directions(pixels: Uint8Array, side = SIDE): number[] {
  const sums = new Array<number>(8).fill(0);
  for (const [i, value] of orientedGradients.describe(pixels, side).entries()) sums[i % 8]! += value;
  return sums;
}

/** The directions that hold more than a thousandth of everything. */
function present(sums: readonly number[]): number[] {
  const total = sums.reduce((a, b) => a + b);
  return [...sums.keys()].filter((direction) => sums[direction]! > total / 1000);
}

/** The cells, counted by row, with any gradient in them. */
function litCells(described: Float32Array): number[] {
  return Array.from({ length: 64 }, (_, cell) => cell).filter((cell) =>
    described.subarray(cell * 8, cell * 8 + 8).some((value) => value > 0),
  );
}

describe('histograms of oriented gradients', () => {
  it('put a horizontal edge into the direction of vertical change, and a vertical edge into the other', () => {
    expect(present(directions(photo((_x, y) => (y < 0.5 ? 1 : 0))))).toEqual([4]);
    expect(present(directions(photo((x) => (x < 0.5 ? 1 : 0))))).toEqual([0]);
  });

  it('put diagonal ramps into the directions between them', () => {
    expect(present(directions(photo((x, y) => (x + y) / 2)))).toContain(2);
    const falling = directions(photo((x, y) => (x + 1 - y) / 2));
    expect(falling.indexOf(Math.max(...falling))).toBe(6);
  });

  it('see the same in a photo and its negative, because directions are unsigned', () => {
    const blob = (x: number, y: number) => Math.exp(-8 * ((x - 0.4) ** 2 + 2 * (y - 0.6) ** 2));
    const positive = directions(photo((x, y) => Math.round(255 * blob(x, y)) / 255));
    const negative = directions(photo((x, y) => 1 - Math.round(255 * blob(x, y)) / 255));
    for (let d = 0; d < 8; d++) expect(Math.abs(negative[d]! / positive[d]! - 1)).toBeLessThan(0.05);
  });

  it('move the directions by half a half turn when the photo is turned by a quarter', () => {
    const drawing = (x: number, y: number) => (x > 0.2 && x < 0.7 && y > 0.3 && y < 0.3 + x / 2 ? 1 : 0);
    const upright = directions(photo(drawing));
    const turned = directions(photo((x, y) => drawing(y, 1 - x)));
    for (let d = 0; d < 8; d++) expect(turned[(d + 4) % 8]).toBeCloseTo(upright[d]!, 3);
  });

  it('move from cell to cell with the photo', () => {
    const dot = (cx: number) => (x: number, y: number) => (Math.hypot(x - cx, y - 0.5625) < 0.04 ? 1 : 0);
    const before = orientedGradients.describe(photo(dot(0.3125)), SIDE);
    const after = orientedGradients.describe(photo(dot(0.4375)), SIDE);
    expect(litCells(before).length).toBeGreaterThan(0);
    expect(litCells(after)).toEqual(litCells(before).map((cell) => cell + 1));
    for (const cell of litCells(before)) {
      const moved = after.subarray((cell + 1) * 8, (cell + 2) * 8);
      expect(moved).toEqual(before.subarray(cell * 8, cell * 8 + 8));
    }
  });

  it('hardly change with contrast where the outline is clear', () => {
    const strong = orientedGradients.describe(
      photo((_x, y) => (y < 0.52 ? 1 : 0)),
      SIDE,
    );
    const weak = orientedGradients.describe(
      photo((_x, y) => (y < 0.52 ? 0.8 : 0.2)),
      SIDE,
    );
    const largest = Math.max(...strong);
    expect(largest).toBeGreaterThan(0.9);
    expect(Math.max(...weak)).toBeGreaterThan(0.95 * largest);
  });

  it('are all zero for a constant photo, whatever its side', () => {
    for (const side of [5, 8, 30, 64]) {
      const described = orientedGradients.describe(
        photo(() => 0.7, side),
        side,
      );
      expect(described).toEqual(new Float32Array(512));
    }
  });
});
