import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { holm } from './multiple-comparisons.ts';

const values = fc.array(fc.oneof(fc.double({ min: 0, max: 1, noNaN: true }), fc.constantFrom(0, 0.01, 1)), {
  maxLength: 12,
});

describe('holm', () => {
  it('corrects four comparisons as worked by hand, and keeps their order', () => {
    // Ascending 0.005 · 4, 0.01 · 3, 0.03 · 2, 0.04 · 1; the last may not fall below the one before.
    const corrected = [0.03, 0.06, 0.06, 0.02];
    for (const [place, p] of holm([0.01, 0.04, 0.03, 0.005]).entries()) {
      expect(p).toBeCloseTo(corrected[place] ?? NaN, 12);
    }
  });

  it('leaves a single comparison as it is, and none alone', () => {
    fc.assert(
      fc.property(fc.double({ min: 0, max: 1, noNaN: true }), (p) => {
        expect(holm([p])[0]).toBe(p);
      }),
    );
    expect(holm([])).toEqual([]);
  });

  it('never falls below the raw value or above 1, and is never stricter than Bonferroni', () => {
    fc.assert(
      fc.property(values, (raw) => {
        for (const [place, p] of holm(raw).entries()) {
          expect(p).toBeGreaterThanOrEqual(raw[place] ?? NaN);
          expect(p).toBeLessThanOrEqual(Math.min(1, raw.length * (raw[place] ?? NaN)));
        }
      }),
    );
  });

  it('keeps the order of the raw values and gives equal ones the same', () => {
    fc.assert(
      fc.property(values, (raw) => {
        const pairs = holm(raw).map((p, place) => ({ p, raw: raw[place] ?? NaN }));
        for (const a of pairs) {
          for (const b of pairs) if (a.raw <= b.raw) expect(a.p).toBeLessThanOrEqual(b.p);
        }
      }),
    );
  });

  it('rejects just what the step-down procedure rejects', () => {
    fc.assert(
      fc.property(values, fc.double({ min: 0.001, max: 0.2, noNaN: true }), (raw, level) => {
        const ascending = raw.slice().sort((a, b) => a - b);
        const kept = ascending.findIndex((p, step) => (raw.length - step) * p > level);
        const rejected = kept === -1 ? raw.length : kept;
        expect(holm(raw).filter((p) => p <= level)).toHaveLength(rejected);
      }),
    );
  });

  it('refuses what is no p-value', () => {
    expect(() => holm([0.1, NaN])).toThrow('Comparison 2 has the p-value NaN');
    expect(() => holm([1.2])).toThrow(expect.objectContaining({ code: 'VALUE_INVALID' }));
  });
});
