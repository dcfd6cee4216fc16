import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { normalQuantile975 } from '../metrics/normal.ts';
import { Random } from '../random.ts';
import { crossing } from './crossing.ts';
import { boundary, lookP, tightestInformation } from './sequential.ts';

describe('the sequential test', () => {
  it('has a p-value below the level just where zero lies outside of its interval', () => {
    fc.assert(
      fc.property(
        fc.double({ min: 1e-3, max: 1e3, noNaN: true }),
        fc.constantFrom(0.05, 0.01, 0.001),
        (information, level) => {
          const edge = boundary(information, level);
          expect(lookP(edge, information)).toBeCloseTo(level, 10);
          expect(lookP(1.001 * edge, information)).toBeLessThan(level);
          expect(lookP(0.999 * edge, information)).toBeGreaterThan(level);
        },
      ),
    );
  });

  it('is tightest where it is planned to be, and wider than that of a single look everywhere', () => {
    const planned = tightestInformation(0.05);
    expect(planned).toBeCloseTo(8.21, 2);
    for (const part of [0.05, 0.5, 0.9, 1.1, 2, 20])
      expect(boundary(part * planned, 0.05)).toBeGreaterThan(boundary(planned, 0.05));
    expect(boundary(planned, 0.05)).toBeGreaterThan(1.5 * normalQuantile975);
  });
});

describe('the chance to cross the boundary', () => {
  it('is that of one look in closed form, and that of many looks as draws have it', () => {
    const edge = boundary(tightestInformation(0.05), 0.05);
    expect(crossing(edge, 1, 0.05).probability).toBeCloseTo(0.5, 6);
    const random = Random.seeded(1, 'walks');
    const [looks, drift, walks] = [20, 3, 20_000];
    let [crossed, time] = [0, 0];
    for (let walk = 0; walk < walks; walk++) {
      let sum = 0;
      for (let look = 1; look <= looks; look++) {
        sum += drift / looks + random.normal() / Math.sqrt(looks);
        const part = look / looks;
        const isCrossed = Math.abs(sum) / Math.sqrt(part) > boundary(part * tightestInformation(0.05), 0.05);
        if (isCrossed) crossed++;
        if (isCrossed || look === looks) {
          time += part;
          break;
        }
      }
    }
    const exact = crossing(drift, looks, 0.05);
    expect(Math.abs(crossed / walks - exact.probability)).toBeLessThan(4 * Math.sqrt(0.25 / walks));
    expect(Math.abs(time / walks - exact.meanTime)).toBeLessThan(0.01);
  });

  it('stays below the level without a drift, however many looks there are', () => {
    const chances = [1, 7, 28, 365].map((looks) => crossing(0, looks, 0.05).probability);
    expect(chances).toEqual(chances.toSorted((a, b) => a - b));
    expect(Math.max(...chances)).toBeLessThan(0.05);
  });
});
