import { describe, expect, it } from 'vitest';
import { defined, gap, value } from '../../../test/support/measured.ts';
import { driftingPurchases } from '../../../test/support/purchase-log.ts';
import { Random } from '../../random.ts';
import type { Clicks } from '../clicks.ts';
import type { CandidateFigures } from '../dataset.ts';
import { Findings } from '../findings.ts';
import { type CandidateOptions, defaultCandidates } from '../sources/candidate-options.ts';
import { samplePageViews } from '../sources/sampled-page-views.ts';
import { candidateFigures, candidateLimits, findGivenAway } from './candidate-figures.ts';

const day = 86_400_000;

/** Of a third of the page views each. */
function figuresOf(clicks: Clicks, options: CandidateOptions): CandidateFigures[] {
  const views = samplePageViews(clicks, day, options, Random.seeded(1, 'candidates'), new Findings());
  const time = Float64Array.from(views.target, (row) => clicks.time[row]!);
  const split = Uint8Array.from(time, (_, view) => Math.floor((3 * view) / time.length));
  const pageViews = { time, split, start: views.start };
  return candidateFigures({ clicks, counterPeriod: day, pageViews, exposures: views });
}

function given(figures: readonly CandidateFigures[]): string[] {
  const findings = new Findings();
  findGivenAway(figures, findings);
  return findings.list().map(({ what }) => what);
}

describe('figures of candidates', () => {
  it('count clicks before the period of the page view, on either side of the click, period by period', () => {
    // Item 0 has two clicks before day 1, item 1 has one on day 1, item 2 none.
    const shown = {
      clicks: {
        user: Int32Array.of(0, 1, 0),
        item: Int32Array.of(0, 0, 1),
        time: Float64Array.of(0, 5, day),
      },
      counterPeriod: day,
      pageViews: {
        time: Float64Array.of(day + 7, 2 * day),
        split: Uint8Array.of(0, 2),
        start: Int32Array.of(0, 3, 5),
      },
      exposures: { item: Int32Array.of(0, 1, 2, 1, 2), clicked: Uint8Array.of(0, 1, 0, 0, 0) },
    };
    expect(candidateFigures(shown)).toEqual([
      {
        split: 'train',
        clicked: { exposures: 1, coldShare: value(1) },
        unclicked: { exposures: 2, coldShare: value(0.5) },
        popularityAuc: value(0.25),
      },
      {
        split: 'validation',
        clicked: { exposures: 0, coldShare: gap('There is no such candidate.') },
        unclicked: { exposures: 0, coldShare: gap('There is no such candidate.') },
        popularityAuc: gap(expect.stringContaining('no rows')),
      },
      {
        split: 'test',
        clicked: { exposures: 0, coldShare: gap('There is no such candidate.') },
        unclicked: { exposures: 2, coldShare: value(0.5) },
        popularityAuc: gap(expect.stringContaining('no row is clicked')),
      },
    ]);
  });

  it.each([1, 2, 3])(
    'of a window: neither popularity nor novelty tells what was bought (shop %i)',
    (seed) => {
      const figures = figuresOf(driftingPurchases(seed, 40, 60), defaultCandidates);
      for (const { clicked, unclicked, popularityAuc } of figures) {
        expect(defined(popularityAuc)).toBeGreaterThan(0.46);
        expect(defined(popularityAuc)).toBeLessThan(0.54);
        const difference = defined(clicked.coldShare) - defined(unclicked.coldShare);
        expect(Math.abs(difference)).toBeLessThan(candidateLimits.coldShare);
      }
      expect(given(figures)).toEqual([]);
    },
  );

  it('of earlier purchases: popularity tells, and a finding of each period says so', () => {
    const figures = figuresOf(driftingPurchases(1, 40, 60), { from: 'earlier' });
    for (const { popularityAuc } of figures) expect(defined(popularityAuc)).toBeLessThan(0.4);
    const found = given(figures);
    for (const { split } of figures) {
      expect(found).toContainEqual(expect.stringContaining(`the ${split} period`));
    }
  });

  it('of a long window where items come and go fast: a finding, and none of a window of one day', () => {
    const clicks = driftingPurchases(1, 5, 30);
    expect(given(figuresOf(clicks, { from: 'window', days: 7, number: 4 }))).not.toEqual([]);
    expect(given(figuresOf(clicks, { from: 'window', days: 1, number: 4 }))).toEqual([]);
  });

  it('are a finding beyond the limits, and only where chance alone is not as large', () => {
    const figures = (exposures: number, cold: number, auc: number): CandidateFigures[] => [
      {
        split: 'test',
        clicked: { exposures, coldShare: value(0.5 + cold) },
        unclicked: { exposures: 4 * exposures, coldShare: value(0.5) },
        popularityAuc: value(auc),
      },
    ];
    expect(given(figures(5000, 0.04, 0.53))).toEqual([]);
    expect(given(figures(5000, 0, 0.55))).toEqual([expect.stringContaining('AUC 0.550')]);
    expect(given(figures(5000, 0, 0.45))).toEqual([expect.stringContaining('AUC 0.450')]);
    expect(given(figures(5000, -0.06, 0.5))).toEqual([expect.stringContaining('44 %')]);
    expect(given(figures(40, -0.06, 0.55))).toEqual([]);
  });
});
