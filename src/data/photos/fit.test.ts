import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fitIntoSquare } from './fit.ts';

function plain(width: number, height: number, colour: readonly number[]): Uint8Array {
  return Uint8Array.from({ length: width * height * 3 }, (_, index) => colour[index % 3]!);
}

function pixel(square: Uint8Array, side: number, row: number, column: number): number[] {
  return [...square.subarray((row * side + column) * 3, (row * side + column) * 3 + 3)];
}

describe('a picture fitted into a square', () => {
  it('stays as it is when it has the size already', () => {
    const picture = Uint8Array.from({ length: 5 * 5 * 3 }, (_, index) => (index * 37) % 256);
    expect(fitIntoSquare(picture, 5, 5, 5)).toEqual(picture);
  });

  it('keeps its proportions between white bars above and below, or left and right', () => {
    const wide = fitIntoSquare(plain(8, 4, [10, 20, 30]), 8, 4, 4);
    expect([0, 1, 2, 3].map((row) => pixel(wide, 4, row, 2))).toEqual([
      [255, 255, 255],
      [10, 20, 30],
      [10, 20, 30],
      [255, 255, 255],
    ]);
    const tall = fitIntoSquare(plain(4, 8, [10, 20, 30]), 4, 8, 4);
    expect([0, 1, 2, 3].map((column) => pixel(tall, 4, 2, column)[0])).toEqual([255, 10, 10, 255]);
  });

  it('averages under a triangle twice as wide as a pixel', () => {
    // A line 0 … 7 halved: the second output has its centre at 3 and weighs 1, 2, 3, 4 by 1 : 3 : 3 : 1.
    const ramp = Uint8Array.from({ length: 8 * 8 * 3 }, (_, index) => 16 * (Math.floor(index / 3) % 8));
    const half = fitIntoSquare(ramp, 8, 8, 4);
    expect(pixel(half, 4, 1, 1)[0]).toBe(16 * 2.5);
    // The first one lacks the pixel before the border: 0, 1, 2 by 3 : 3 : 1.
    expect(pixel(half, 4, 1, 0)[0]).toBe(Math.round((16 * (3 * 0 + 3 * 1 + 2)) / 7));
  });

  it('keeps its place and proportions where a part of a pixel is missing at its edge', () => {
    // A line 0 … 7 of 8.5 pixels: the second of four has its centre at 3.1875.
    const ramp = Uint8Array.from({ length: 8 * 8 * 3 }, (_, index) => 16 * (Math.floor(index / 3) % 8));
    const square = fitIntoSquare(ramp, 8, 8, 4, { width: 8.5, height: 8.5 });
    expect(Math.abs(pixel(square, 4, 1, 1)[0]! - 16 * (3.1875 - 0.5))).toBeLessThanOrEqual(1);
    const wide = fitIntoSquare(plain(8, 2, [10, 20, 30]), 8, 2, 8, { width: 8.2, height: 2.7 });
    expect([2, 3, 4, 5].map((row) => pixel(wide, 8, row, 4)[0])).toEqual([10, 10, 10, 255]);
  });

  it('never leaves the range of its pixels, and keeps a plain colour plain, whatever the sizes', () => {
    const size = fc.integer({ min: 1, max: 40 });
    fc.assert(
      fc.property(size, size, size, fc.integer({ min: 0, max: 255 }), (width, height, side, grey) => {
        const square = fitIntoSquare(plain(width, height, [grey, grey, grey]), width, height, side);
        expect(square).toHaveLength(side * side * 3);
        expect(square.every((value) => value === grey || value === 255)).toBe(true);
        expect(square.includes(grey)).toBe(true);
      }),
    );
  });

  it('does not alias: a fine checkerboard becomes grey', () => {
    const board = Uint8Array.from({ length: 64 * 64 * 3 }, (_, index) => {
      const place = Math.floor(index / 3);
      return (place + Math.floor(place / 64)) % 2 === 0 ? 0 : 254;
    });
    const small = fitIntoSquare(board, 64, 64, 16);
    expect(Math.min(...small)).toBeGreaterThan(120);
    expect(Math.max(...small)).toBeLessThan(134);
  });
});
