import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { tinyLog } from '../../../test/support/tiny-log.ts';
import { type Dataset, splits } from '../dataset.ts';
import { newerPart, olderPart, trainingCut } from './training-cut.ts';

const day = 86_400_000;

function viewsAt(times: readonly number[], split: readonly number[] = times.map(() => 0)) {
  const { data } = tinyLog();
  const pageViews = { ...data.pageViews, time: Float64Array.from(times), split: Uint8Array.from(split) };
  return { ...data, pageViews } satisfies Pick<Dataset, 'pageViews'>;
}

describe('the cut of the training period', () => {
  it('leaves two thirds of the days to the older part, and lies at the begin of a day', () => {
    const noon = [0, 1, 2, 4, 5, 9].map((at) => day * at + day / 2);
    expect(trainingCut(viewsAt(noon), 2 / 3)).toBe(5 * day);
    // Days of the later periods do not count.
    expect(trainingCut(viewsAt([...noon, 20 * day, 30 * day], [0, 0, 0, 0, 0, 0, 1, 2]), 2 / 3)).toBe(
      5 * day,
    );
  });

  it('lies between page views where there are fewer than three days, and nowhere within one moment', () => {
    expect(trainingCut(viewsAt([10, 20, 30, 40]), 1 / 2)).toBe(30);
    expect(trainingCut(viewsAt([10, 20]), 0.99)).toBe(20);
    expect(trainingCut(viewsAt([10, 10, 10]), 1 / 2)).toBeNull();
  });

  it('puts every page view of training into one of two parts, neither empty, and touches no other', () => {
    const logs = fc
      .array(
        fc.record({ time: fc.integer({ min: 0, max: 20 * day }), split: fc.integer({ min: 0, max: 2 }) }),
        {
          minLength: 2,
          maxLength: 40,
        },
      )
      .map((views) => views.sort((a, b) => a.time - b.time));
    fc.assert(
      fc.property(logs, fc.double({ min: 0.01, max: 0.99, noNaN: true }), (views, share) => {
        const whole = viewsAt(
          views.map(({ time }) => time),
          views.map(({ split }) => split),
        );
        const cut = trainingCut(whole, share);
        const times = new Set(views.filter(({ split }) => split === 0).map(({ time }) => time));
        expect(cut === null).toBe(times.size < 2);
        if (cut === null) return;
        const parts = [olderPart(whole, cut), newerPart(whole, cut)].map(({ pageViews }) => pageViews.split);
        const inTraining = parts.map((split) => [...split].map((code) => splits[code] === 'train'));
        for (const [view, { time, split }] of views.entries()) {
          const isTraining = split === 0;
          expect(inTraining.map((part) => part[view])).toEqual([
            isTraining && time < cut,
            isTraining && time >= cut,
          ]);
          if (!isTraining) expect(parts.map((part) => part[view])).toEqual([split, split]);
        }
        expect(inTraining.every((part) => part.includes(true))).toBe(true);
      }),
    );
  });
});
