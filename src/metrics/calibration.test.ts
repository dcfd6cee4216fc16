import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Random } from '../random.ts';
import { predictedOverObserved, reliabilityTable } from './calibration.ts';

describe('predictedOverObserved', () => {
  it('divides the clicks predicted by the clicks observed', () => {
    expect(predictedOverObserved(Float64Array.of(0.5, 0.75, 0.25), Uint8Array.of(1, 0, 0))).toBe(1.5);
  });

  it('is 1 for the observed rate, whatever the rows', () => {
    fc.assert(
      fc.property(fc.uint8Array({ min: 0, max: 1, minLength: 1 }), (labels) => {
        fc.pre(labels.includes(1));
        const rate = labels.reduce((sum, label) => sum + label, 0) / labels.length;
        expect(predictedOverObserved(new Float64Array(labels.length).fill(rate), labels)).toBeCloseTo(1, 12);
      }),
    );
  });

  it('is undefined when nothing is clicked or there are no rows', () => {
    const undefinedMetric = expect.objectContaining({ code: 'METRIC_UNDEFINED' });
    expect(() => predictedOverObserved(Float32Array.of(0.1), Uint8Array.of(0))).toThrow(undefinedMetric);
    expect(() => predictedOverObserved(new Float32Array(0), new Uint8Array(0))).toThrow(undefinedMetric);
  });

  it('refuses raw scores', () => {
    expect(() => predictedOverObserved(Float32Array.of(2), Uint8Array.of(1))).toThrow('is no probability');
  });
});

describe('reliabilityTable', () => {
  it('has mean prediction and observed rate of bins of equal count, as worked by hand', () => {
    const probabilities = Float64Array.of(0.75, 0.25, 0.5, 0.125);
    expect(reliabilityTable(probabilities, Uint8Array.of(1, 0, 1, 0), 2)).toEqual([
      { meanPrediction: 0.1875, observedRate: 0, count: 2 },
      { meanPrediction: 0.625, observedRate: 1, count: 2 },
    ]);
  });

  it('does not depend on the order of rows of equal prediction', () => {
    const probabilities = Float64Array.of(0.5, 0.5, 0.5, 0.75);
    const table = reliabilityTable(probabilities, Uint8Array.of(1, 0, 0, 1), 4);
    expect(table).toEqual(reliabilityTable(probabilities, Uint8Array.of(0, 0, 1, 1), 4));
    expect(table.map(({ count }) => count)).toEqual([3, 1]);
  });

  it('lies on the diagonal for predictions that clicks are drawn from', () => {
    const random = Random.seeded(1, 'reliability');
    const probabilities = Float32Array.from({ length: 50_000 }, () => random.uniform());
    const labels = Uint8Array.from(probabilities, (p) => (random.uniform() < p ? 1 : 0));
    const table = reliabilityTable(probabilities, labels);
    expect(table.map(({ count }) => count)).toEqual(Array(10).fill(5000));
    for (const [bin, { meanPrediction, observedRate }] of table.entries()) {
      expect(meanPrediction).toBeCloseTo(0.05 + bin / 10, 1);
      expect(Math.abs(observedRate - meanPrediction)).toBeLessThan(0.03);
    }
  });

  it('takes rows without a click, but not without rows or with no bins', () => {
    expect(reliabilityTable(Float32Array.of(0.5), Uint8Array.of(0), 1)[0]?.observedRate).toBe(0);
    expect(() => reliabilityTable(new Float32Array(0), new Uint8Array(0))).toThrow('there are no rows');
    for (const bins of [0, 1.5, NaN, 1e9]) {
      expect(() => reliabilityTable(Float32Array.of(0.5), Uint8Array.of(0), bins)).toThrow(
        'is no number of bins',
      );
    }
  });
});
