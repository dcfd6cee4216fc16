/** Whether candidates give answers away: how clicked and unclicked ones differ in what is known without looking. */
import { auc } from '../../metrics/auc.ts';
import { known, type Measured, measure } from '../../metrics/measured.ts';
import { decimals, percent } from '../../text.ts';
import { type Clicks, lowerBound } from '../clicks.ts';
import {
  type CandidateFigures,
  type CandidateSide,
  type Exposures,
  type PageViews,
  splits,
} from '../dataset.ts';
import type { Findings } from '../findings.ts';

export interface ShownCandidates {
  readonly clicks: Clicks;
  /** What is known at a page view ends with the period before its own. Milliseconds. */
  readonly counterPeriod: number;
  readonly pageViews: Pick<PageViews, 'time' | 'split' | 'start'>;
  readonly exposures: Pick<Exposures, 'item' | 'clicked'>;
}

/** How far drawn candidates may be from telling nothing. */
export const candidateLimits = {
  /** Distance of the AUC of popularity from one half. */
  popularityAuc: 0.04,
  /** Difference of the shares of cold items. */
  coldShare: 0.05,
} as const;

/** A record for each split, in their order. */
export function candidateFigures(shown: ShownCandidates): CandidateFigures[] {
  const { pageViews, exposures } = shown;
  const earlier = earlierClicks(shown);
  const firstRow = (split: number): number =>
    pageViews.start[lowerBound((view) => pageViews.split[view]!, split, 0, pageViews.split.length)]!;
  return splits.map((split, index) => {
    const rows = [firstRow(index), firstRow(index + 1)] as const;
    const [popularity, clicked] = [earlier.subarray(...rows), exposures.clicked.subarray(...rows)];
    return {
      split,
      clicked: sideOf(popularity.filter((_, row) => clicked[row] === 1)),
      unclicked: sideOf(popularity.filter((_, row) => clicked[row] === 0)),
      popularityAuc: measure(() => auc(popularity, clicked)),
    };
  });
}

/** Clicks of each exposure's item before the period of its page view. (R) */
function earlierClicks({ clicks, counterPeriod, pageViews, exposures }: ShownCandidates): Float64Array {
  const counts = new Map<number, number>();
  const earlier = new Float64Array(exposures.item.length);
  let click = 0;
  for (let view = 0; view < pageViews.time.length; view++) {
    const end = Math.floor(pageViews.time[view]! / counterPeriod) * counterPeriod;
    for (; click < clicks.time.length && clicks.time[click]! < end; click++) {
      const item = clicks.item[click]!;
      counts.set(item, (counts.get(item) ?? 0) + 1);
    }
    for (let row = pageViews.start[view]!; row < pageViews.start[view + 1]!; row++) {
      earlier[row] = counts.get(exposures.item[row]!) ?? 0;
    }
  }
  return earlier;
}

function sideOf(popularity: Float64Array): CandidateSide {
  const exposures = popularity.length;
  const cold = popularity.reduce((sum, clicks) => sum + (clicks === 0 ? 1 : 0), 0);
  const coldShare: Measured =
    exposures === 0
      ? { kind: 'undefined', why: 'There is no such candidate.' }
      : { kind: 'value', value: cold / exposures };
  return { exposures, coldShare };
}

/**
 * A finding for each period in which drawn candidates tell the clicked one by more than the limits, and by more than
 * two standard errors of what chance alone does (for the AUC: Mann and Whitney, 1947).
 */
export function findGivenAway(figures: readonly CandidateFigures[], findings: Findings): void {
  for (const { split, clicked, unclicked, popularityAuc } of figures) {
    const spread = 2 * Math.sqrt(1 / clicked.exposures + 1 / unclicked.exposures);
    const what = `Clicked candidates of the ${split} period that the draw gives away`;
    const popularity = known(popularityAuc);
    const limit = Math.max(candidateLimits.popularityAuc, spread / Math.sqrt(12));
    if (popularity !== null && Math.abs(popularity - 0.5) > limit) {
      const text = `${what}: the popularity of items alone has AUC ${decimals(popularity, 3)}, not 0.5`;
      findings.add(text, undefined, clicked.exposures);
    }
    const [bought, others] = [known(clicked.coldShare), known(unclicked.coldShare)];
    if (bought === null || others === null) continue;
    if (Math.abs(bought - others) > Math.max(candidateLimits.coldShare, spread / 2)) {
      const shares = `${percent(bought)} of them were never clicked before, of the others ${percent(others)}`;
      findings.add(`${what}: ${shares}`, undefined, clicked.exposures);
    }
  }
}
