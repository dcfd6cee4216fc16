/** How much better one ranker is than another on the same rows and with the same seeds. */

import { CourierError } from '../errors.ts';
import { combineSources, crossedSources, meanOf, type Uncertainty } from './crossed-sources.ts';
import { groupByIds } from './groups.ts';
import { known, type Measured, mapped, measure } from './measured.ts';
import { holm } from './multiple-comparisons.ts';
import { checkGroups } from './rows.ts';
import type { ScoredRows } from './slices.ts';
import { influenceOnDifference, type UserInfluence, type UserMetric } from './user-influence.ts';

/** What an interval and a p-value allow for: with one seed nothing is known of the chance of training. */
export type Covers = 'users' | 'users and seeds';

/** A lift of which everything is defined. */
export interface Lift extends Uncertainty {
  /** Of a metric, treatment less baseline, mean over seeds. For AUC, 0.01 is one point. */
  readonly difference: number;
  /** The p-value after Holm's correction for all lifts that are looked at together. */
  readonly pCorrected: number;
  readonly covers: Covers;
}

/** A lift before that correction, each figure as far as the test rows define it. */
export interface MeasuredLift {
  readonly difference: Measured<Lift['difference']>;
  readonly ci95: Measured<Lift['ci95']>;
  readonly p: Measured<Lift['p']>;
  readonly detectable: Measured<Lift['detectable']>;
  readonly covers: Covers;
}

/** A lift, each figure as far as the test rows define it. */
export interface RowLift extends MeasuredLift {
  readonly pCorrected: Measured<Lift['pCorrected']>;
}

/** What one ranker gave for the rows, an entry per seed. */
export type SeedScores = readonly ScoredRows[];

/**
 * The lift of a metric: the mean over seeds of treatment less baseline, seed s beside seed s, with what users and seeds
 * leave to chance.
 *
 * @param baseline an entry per seed, all of the same rows and users. (S)
 * @param treatment the same rows. (S)
 * @throws CourierError VALUE_INVALID for sides that differ in seeds or rows, and what the metric says of scores
 */
export function measureLift(metric: UserMetric, baseline: SeedScores, treatment: SeedScores): MeasuredLift {
  checkSides(baseline, treatment);
  const sources = measure(() => crossedSources(seedLifts(metric, baseline, treatment)));
  const uncertainty = sources.kind === 'undefined' ? sources : measure(() => combineSources(sources.value));
  return {
    // Of one user there is a difference, though no interval.
    difference: mapped(sources, ({ seedLifts }) => meanOf(seedLifts)),
    ci95: mapped(uncertainty, ({ ci95 }) => ci95),
    p: mapped(uncertainty, ({ p }) => p),
    detectable: mapped(uncertainty, ({ detectable }) => detectable),
    covers: baseline.length === 1 ? 'users' : 'users and seeds',
  };
}

/** All of the lift, a gap where any of it is one. */
export function wholeLift(lift: RowLift): Measured<Lift> {
  const { difference, ci95, p, pCorrected, detectable, covers } = lift;
  if (difference.kind === 'undefined') return difference;
  if (ci95.kind === 'undefined') return ci95;
  if (p.kind === 'undefined') return p;
  if (pCorrected.kind === 'undefined') return pCorrected;
  const figures = {
    difference: difference.value,
    ci95: ci95.value,
    p: p.value,
    pCorrected: pCorrected.value,
  };
  return mapped(detectable, (detectable) => ({ ...figures, detectable, covers }));
}

/**
 * Holm's correction over lifts that are looked at together: who looks at many finds a lucky one. Those without a p-value
 * are none of them.
 * @returns what corrects each of them
 */
export function correctionOver(lifts: readonly MeasuredLift[]): (lift: MeasuredLift) => RowLift {
  const tested = lifts.flatMap(({ p }) => known(p) ?? []);
  const corrected = new Map(holm(tested).map((value, place) => [tested[place], value]));
  // Equal p-values are corrected to the same.
  return (lift) => ({ ...lift, pCorrected: mapped(lift.p, (p) => corrected.get(p) ?? p) });
}

function seedLifts(
  metric: UserMetric,
  baseline: SeedScores,
  treatment: SeedScores,
): readonly UserInfluence[] {
  const users = groupByIds(baseline[0]!.users);
  return baseline.map((rows, seed) => {
    return influenceOnDifference(metric(rows, users), metric(treatment[seed]!, users));
  });
}

function checkSides(baseline: SeedScores, treatment: SeedScores): void {
  if (baseline.length !== treatment.length || baseline.length === 0) {
    throw new CourierError(
      'VALUE_INVALID',
      `A lift got ${baseline.length} seeds of the baseline and ${treatment.length} of the treatment.`,
      'Train both models with the same seeds, at least one.',
    );
  }
  const { length } = baseline[0]!.users;
  for (const { labels } of [...baseline, ...treatment])
    checkGroups('A lift', baseline[0]!.users, labels.length);
  for (const { pageViews } of [...baseline, ...treatment]) checkGroups('A lift', pageViews, length);
}
