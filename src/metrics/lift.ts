/** How much better one ranker is than another on the same rows and with the same seeds. */
import { inTurns } from '../progress.ts';
import { Random } from '../random.ts';
import { auc } from './auc.ts';
import { beginPairedBootstrap, type PairedDifference } from './bootstrap.ts';
import { deLongTest } from './delong.ts';
import { known, type Measured, mapped, measure } from './measured.ts';
import { holm } from './multiple-comparisons.ts';
import { upperTail } from './normal.ts';
import type { ScoredRows } from './slices.ts';

/** A lift of which everything is defined. */
export interface Lift {
  /** Difference of AUC, 0.01 being one point; mean over seeds. */
  readonly auc: number;
  /** Percentile interval of a paired bootstrap over users, seeds pooled as replicates. */
  readonly ci95: readonly [number, number];
  /** Two-sided p-value of the same bootstrap. */
  readonly p: number;
}

/** The lift of a row of the table, each figure as far as the test rows define it. */
export interface RowLift {
  readonly auc: Measured<Lift['auc']>;
  readonly ci95: Measured<Lift['ci95']>;
  readonly p: Measured<Lift['p']>;
  /** The p-value after Holm's correction for all lifts of the table. */
  readonly pCorrected: Measured;
  /** Two-sided p-value of DeLong's test, which takes rows for independent and the seeds for one and the same. */
  readonly pDeLong: Measured;
}

/** What one ranker gave for the rows, an entry per seed. */
export type SeedScores = readonly ScoredRows[];

/**
 * The lift in steps, between which long work can stop: see `inTurns`.
 * @throws CourierError METRIC_UNDEFINED at once, as `pairedBootstrap` does
 */
export function beginLift(
  baseline: SeedScores,
  treatment: SeedScores,
  replicates: number,
): Generator<void, Lift> {
  const { labels, users } = baseline[0]!;
  const steps = beginPairedBootstrap({
    baseline: baseline.map(({ scores }) => scores),
    treatment: treatment.map(({ scores }) => scores),
    labels,
    users,
    replicates,
    // The same resamples for every row, so that rows can be compared with each other.
    random: Random.seeded(1, 'bootstrap'),
  });
  return liftOf(steps);
}

function* liftOf(steps: Generator<void, PairedDifference>): Generator<void, Lift> {
  const { difference, ci95, p } = yield* steps;
  return { auc: difference, ci95, p };
}

/**
 * The lift of one row, not yet corrected for others: see `withCorrection`.
 * @throws the signal's reason once it is aborted
 */
export async function rowLift(
  baseline: SeedScores,
  treatment: SeedScores,
  replicates: number,
  signal?: AbortSignal,
): Promise<RowLift> {
  const begun = measure(() => beginLift(baseline, treatment, replicates));
  const whole: Measured<Lift> =
    begun.kind === 'undefined' ? begun : { kind: 'value', value: await inTurns(begun.value, signal) };
  const p = mapped(whole, (lift) => lift.p);
  return {
    // Of one user there is a difference, though no interval.
    auc: measure(() => meanDifference(baseline, treatment)),
    ci95: mapped(whole, ({ ci95 }) => ci95),
    p,
    pCorrected: p,
    pDeLong: measure(() => pDeLong(baseline, treatment)),
  };
}

/**
 * Holm's correction over all lifts that are looked at together: who looks at many finds a lucky one. Those without a
 * p-value are none of them.
 */
export function withCorrection<Row extends { readonly lift: RowLift | null }>(
  rows: readonly Row[],
): readonly Row[] {
  const tested = rows.flatMap(({ lift }) => (lift === null ? [] : (known(lift.p) ?? [])));
  const corrected = new Map(holm(tested).map((value, place) => [tested[place], value]));
  return rows.map((row) => {
    if (row.lift === null) return row;
    // Equal p-values are corrected to the same.
    const pCorrected = mapped(row.lift.p, (p) => corrected.get(p) ?? p);
    return { ...row, lift: { ...row.lift, pCorrected } };
  });
}

function meanDifference(baseline: SeedScores, treatment: SeedScores): number {
  return meanOf(
    baseline.map(({ scores, labels }, seed) => auc(treatment[seed]!.scores, labels) - auc(scores, labels)),
  );
}

/** DeLong's test of the mean difference; as if all seeds erred alike, which is the cautious assumption. */
function pDeLong(baseline: SeedScores, treatment: SeedScores): number {
  const tests = baseline.map(({ scores, labels }, seed) =>
    deLongTest(scores, treatment[seed]!.scores, labels),
  );
  const variance = meanOf(tests.map((test) => test.variance));
  // Then no seed makes a difference, or its test would be undefined.
  if (variance === 0) return 1;
  return 2 * upperTail(Math.abs(meanOf(tests.map((test) => test.difference))) / Math.sqrt(variance));
}

function meanOf(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
