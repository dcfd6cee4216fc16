/** The table of a comparison: metrics over seeds, and the lift over the ranker without images. */

import { type Dataset, pageViewOfRows } from '../data/dataset.ts';
import { auc, gauc } from '../metrics/auc.ts';
import { predictedOverObserved } from '../metrics/calibration.ts';
import { correctionOver, measureLift, type SeedScores } from '../metrics/lift.ts';
import { measure } from '../metrics/measured.ts';
import { ndcg } from '../metrics/ndcg.ts';
import { logLoss } from '../metrics/probability.ts';
import type { ScoredRows } from '../metrics/slices.ts';
import { summarise, summariseMeasured } from '../metrics/summary.ts';
import { aucInfluence, gaucInfluence, logLossInfluence, ndcgInfluence } from '../metrics/user-influence.ts';
import { safePlace, silent, type WorkOptions } from '../progress.ts';
import type { RankerResult } from '../rankers/train.ts';
import type { MeasuredLifts, ReportRow, Start } from '../report/report.ts';
import { datasetSlices } from './dataset-slices.ts';
import { sliceResults } from './slice-results.ts';

/** A ranker of the table: its row, its start, its seed, and what it came to. */
export interface RankerRun {
  readonly source: string | null;
  /** null: without images. */
  readonly features: string | null;
  readonly start: Start;
  readonly seed: number;
  readonly result: RankerResult;
}

export interface TableOptions {
  /** Category column whose values are slices; none without it. */
  readonly sliceBy: string | null;
}

/** What of a dataset the table is made of. */
export type TableData = Pick<Dataset, 'name' | 'catalogue' | 'pageViews' | 'exposures'>;

/** Items of a page view that count. */
export const ndcgDepth = 5;

/**
 * One row per start, source and features, in the order of the runs; the first of a start, without images, is
 * what the others of that start are compared with.
 */
export async function tableRows(
  runs: readonly RankerRun[],
  dataset: TableData,
  options: TableOptions,
  { progress = silent, signal }: WorkOptions = {},
): Promise<readonly ReportRow[]> {
  const testRows = runs[0]?.result.testRows ?? new Int32Array();
  if (runs.some(({ result }) => !sameRows(result.testRows, testRows)))
    throw new Error('runs have different test rows');
  const slices = datasetSlices(dataset, testRows, {
    categories: options.sliceBy === null ? [] : [options.sliceBy],
  });
  const scored = scoredRows(dataset, testRows);
  const rows = groupRuns(runs).map((group) => {
    return { group, scores: group.map(({ result }) => scored(result.testScores)) };
  });
  const stage = 'Measure';
  progress({ kind: 'start', stage, total: rows.length, unit: 'rows' });
  const measured: MeasuredRow[] = [];
  for (const { group, scores } of rows) {
    await safePlace(signal);
    progress({ kind: 'advance', stage, done: measured.length });
    const { start, features, source } = group[0]!;
    const baseline = rows.find((row) => row.group[0]!.start === start && row.group[0]!.features === null);
    const other =
      features === null || baseline === undefined ? null : scoresOfSeeds(baseline.group, group, scored);
    measured.push({
      features: features ?? 'none',
      source,
      start,
      seeds: group.map(({ seed }) => seed),
      ...metricsOf(scores),
      validationAuc: summariseMeasured(group.map(({ result }) => result.validationAuc)),
      lifts: other === null ? null : liftsOf(other, scores),
      slices: start === 'warm' ? await sliceResults(slices, other, scores, signal) : [],
      cost: null,
    });
  }
  progress({ kind: 'end', stage });
  return withCorrectedLifts(measured);
}

/** A row before its p-value is corrected for the others. */
type MeasuredRow = Omit<ReportRow, 'lifts'> & { readonly lifts: MeasuredLifts | null };

/** Holm's correction over the lifts of AUC, which are what the table is about. */
function withCorrectedLifts(rows: readonly MeasuredRow[]): readonly ReportRow[] {
  const corrected = correctionOver(rows.flatMap(({ lifts }) => lifts?.auc ?? []));
  return rows.map(({ lifts, ...row }) => {
    return { ...row, lifts: lifts && { ...lifts, auc: corrected(lifts.auc) } };
  });
}

function liftsOf(baseline: SeedScores, seeds: SeedScores): MeasuredLifts {
  return {
    auc: measureLift(aucInfluence, baseline, seeds),
    gauc: measureLift(gaucInfluence, baseline, seeds),
    logLoss: measureLift(logLossInfluence, baseline, seeds),
    ndcg: measureLift(ndcgInfluence(ndcgDepth), baseline, seeds),
  };
}

/** Scores of the runs that have the seeds of others, in the order of those. */
function scoresOfSeeds(
  runs: readonly RankerRun[],
  others: readonly RankerRun[],
  scored: (scores: Float32Array) => ScoredRows,
): SeedScores {
  return others.map(({ seed }) => {
    const run = runs.find((run) => run.seed === seed);
    if (run === undefined) throw new Error(`seed ${seed} has no ranker without images to compare with`);
    return scored(run.result.testScores);
  });
}

export function scoredRows(dataset: TableData, testRows: Int32Array): (scores: Float32Array) => ScoredRows {
  const pageViewOf = pageViewOfRows(dataset);
  const pageViews = testRows.map((row) => pageViewOf[row]!);
  const users = pageViews.map((pageView) => dataset.pageViews.user[pageView]!);
  const labels = Uint8Array.from(testRows, (row) => dataset.exposures.clicked[row]!);
  return (scores) => ({ scores, labels, users, pageViews });
}

function metricsOf(seeds: SeedScores) {
  const over = (metric: (rows: ScoredRows) => number) => measure(() => summarise(seeds.map(metric)));
  return {
    auc: over(({ scores, labels }) => auc(scores, labels)),
    gauc: over(({ scores, labels, users }) => gauc(scores, labels, users).gauc),
    logLoss: over(({ scores, labels }) => logLoss(scores, labels)),
    calibration: over(({ scores, labels }) => predictedOverObserved(scores, labels)),
    ndcg: over(({ scores, labels, pageViews }) => ndcg(scores, labels, pageViews, ndcgDepth).ndcg),
  };
}

function groupRuns(runs: readonly RankerRun[]): readonly RankerRun[][] {
  const groups = new Map<string, RankerRun[]>();
  for (const run of runs) {
    const key = JSON.stringify([run.start, run.source, run.features]);
    groups.set(key, [...(groups.get(key) ?? []), run]);
  }
  return [...groups.values()];
}

function sameRows(a: Int32Array, b: Int32Array): boolean {
  return a.length === b.length && a.every((row, index) => row === b[index]);
}
