import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { logLoss } from './probability.ts';

describe('logLoss', () => {
  it('is ln 2 when nothing is known', () => {
    expect(logLoss(Float64Array.of(0.5, 0.5, 0.5), Uint8Array.of(0, 1, 1))).toBeCloseTo(Math.LN2, 12);
  });

  it('stays finite for a certain and wrong prediction', () => {
    const certain = logLoss(Float32Array.of(0, 1), Uint8Array.of(1, 0));
    expect(certain).toBeCloseTo(-Math.log(1e-7), 6);
  });

  it('is least for the observed click-through rate among constant predictions', () => {
    const labels = Uint8Array.of(1, 0, 0, 0);
    const best = logLoss(new Float64Array(4).fill(0.25), labels);
    fc.assert(
      fc.property(fc.double({ min: 0, max: 1, noNaN: true }), (other) => {
        expect(logLoss(new Float64Array(4).fill(other), labels)).toBeGreaterThanOrEqual(best);
      }),
    );
  });

  it('refuses what is no probability, no number, or no rows', () => {
    const label = Uint8Array.of(1);
    expect(() => logLoss(Float32Array.of(1.5), label)).toThrow('1.5 in row 0 is no probability');
    expect(() => logLoss(Float32Array.of(NaN), label)).toThrow('score of row 0 is not a number');
    expect(() => logLoss(new Float32Array(0), new Uint8Array(0))).toThrow('there are no rows');
    expect(() => logLoss(Float32Array.of(0.1, 0.2), label)).toThrow('2 scores do not match 1 labels');
  });
});
