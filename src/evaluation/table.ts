/** The table of a comparison: metrics over seeds, and the lift over the ranker without images. */
import type { Dataset } from '../data/dataset.ts';
import { pageViewOfRows } from '../features/feature.ts';
import { auc, gauc } from '../metrics/auc.ts';
import { beginPairedBootstrap, type PairedDifference } from '../metrics/bootstrap.ts';
import { predictedOverObserved } from '../metrics/calibration.ts';
import { deLongTest } from '../metrics/delong.ts';
import { measure } from '../metrics/measured.ts';
import { holm } from '../metrics/multiple-comparisons.ts';
import { ndcg } from '../metrics/ndcg.ts';
import { upperTail } from '../metrics/normal.ts';
import { logLoss } from '../metrics/probability.ts';
import { rowsOfSlice, type ScoredRows, type Slice } from '../metrics/slices.ts';
import { summarise } from '../metrics/summary.ts';
import { inTurns, safePlace, silent, type WorkOptions } from '../progress.ts';
import { Random } from '../random.ts';
import type { RankerResult } from '../rankers/train.ts';
import type { Lift, ReportRow, RowLift, SliceResult, Start } from '../report/report.ts';
import { datasetSlices } from './dataset-slices.ts';

export interface TableCell {
  readonly source: string | null;
  /** null: without images. */
  readonly features: string | null;
  readonly start: Start;
  readonly seed: number;
  readonly result: RankerResult;
}

export interface TableOptions {
  /** Replicates of the bootstrap over users; null: enough for the lifts that there are. */
  readonly replicates: number | null;
  /** Category column whose values are slices; none without it. */
  readonly sliceBy: string | null;
}

/** Replicates at least, and for each of the lifts whose p-values are corrected together. */
const [fewestReplicates, replicatesOfLift] = [1000, 400];

/**
 * Replicates with which the smallest p-value is at most 0.005 even after Holm's correction, which multiplies it by the
 * number of lifts.
 */
export function replicatesFor(wanted: number | null, lifts: number): number {
  return wanted ?? Math.max(fewestReplicates, replicatesOfLift * lifts);
}

/** What of a dataset the table is made of. */
export type TableData = Pick<Dataset, 'name' | 'catalogue' | 'pageViews' | 'exposures'>;

/** A row's scores on the test period, an entry per seed. */
type SeedScores = readonly ScoredRows[];

/** Items of a page view that count. */
const ndcgDepth = 5;

/**
 * One row per start, source and features, in the order of the cells; the first of a start, without images, is
 * what the others of that start are compared with.
 */
export async function tableRows(
  cells: readonly TableCell[],
  dataset: TableData,
  options: TableOptions,
  { progress = silent, signal }: WorkOptions = {},
): Promise<readonly ReportRow[]> {
  const testRows = cells[0]?.result.testRows ?? new Int32Array();
  if (cells.some(({ result }) => !sameRows(result.testRows, testRows)))
    throw new Error('cells have different test rows');
  const slices = datasetSlices(dataset, testRows, {
    categories: options.sliceBy === null ? [] : [options.sliceBy],
  });
  const scored = scoredRows(dataset, testRows);
  const rows = groupCells(cells).map((group) => {
    return { group, scores: group.map(({ result }) => scored(result.testScores)) };
  });
  const lifts = rows.filter(({ group }) => group[0]!.features !== null).length;
  const replicates = replicatesFor(options.replicates, lifts);
  const ofSlices = replicatesFor(options.replicates, 1);
  const stage = 'Measure';
  progress({ kind: 'start', stage, total: rows.length, unit: 'rows' });
  const measured: ReportRow[] = [];
  for (const { group, scores } of rows) {
    await safePlace(signal);
    progress({ kind: 'advance', stage, done: measured.length });
    const { start, features, source } = group[0]!;
    const baseline = rows.find((row) => row.group[0]!.start === start && row.group[0]!.features === null);
    const other =
      features === null || baseline === undefined ? null : scoresOfSeeds(baseline.group, group, scored);
    measured.push({
      features: features ?? 'none',
      objective: source,
      start,
      seeds: group.map(({ seed }) => seed),
      ...metricsOf(scores),
      lift: other === null ? null : await rowLift(other, scores, replicates, signal),
      slices: start === 'warm' ? await sliceResults(slices, other, scores, ofSlices, signal) : [],
      cost: null,
    });
  }
  progress({ kind: 'end', stage });
  return withCorrection(measured);
}

/** Scores of the cells that have the seeds of others, in the order of those. */
function scoresOfSeeds(
  cells: readonly TableCell[],
  others: readonly TableCell[],
  scored: (scores: Float32Array) => ScoredRows,
): SeedScores {
  return others.map(({ seed }) => {
    const cell = cells.find((cell) => cell.seed === seed);
    if (cell === undefined) throw new Error(`seed ${seed} has no ranker without images to compare with`);
    return scored(cell.result.testScores);
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
  const over = (metric: (rows: ScoredRows) => number) => summarise(seeds.map(metric));
  return {
    auc: over(({ scores, labels }) => auc(scores, labels)),
    gauc: over(({ scores, labels, users }) => gauc(scores, labels, users).gauc),
    logLoss: over(({ scores, labels }) => logLoss(scores, labels)),
    calibration: over(({ scores, labels }) => predictedOverObserved(scores, labels)),
    ndcg: over(({ scores, labels, pageViews }) => ndcg(scores, labels, pageViews, ndcgDepth).ndcg),
  };
}

function groupCells(cells: readonly TableCell[]): readonly TableCell[][] {
  const groups = new Map<string, TableCell[]>();
  for (const cell of cells) {
    const key = JSON.stringify([cell.start, cell.source, cell.features]);
    groups.set(key, [...(groups.get(key) ?? []), cell]);
  }
  return [...groups.values()];
}

/** How much better the treatment is, on the same rows and with the same seeds. */
export async function rowLift(
  baseline: SeedScores,
  treatment: SeedScores,
  replicates: number,
  signal: AbortSignal | undefined,
): Promise<RowLift> {
  const lift = await inTurns(beginLift(baseline, treatment, replicates), signal);
  return { ...lift, pCorrected: lift.p, pDeLong: pDeLong(baseline, treatment) };
}

/** Holm's correction over all lifts of the table: who looks at many rows finds a lucky one. */
function withCorrection(rows: readonly ReportRow[]): readonly ReportRow[] {
  const corrected = holm(rows.flatMap(({ lift }) => (lift === null ? [] : [lift.p]))).values();
  return rows.map((row) => {
    if (row.lift === null) return row;
    return { ...row, lift: { ...row.lift, pCorrected: corrected.next().value ?? row.lift.p } };
  });
}

/** @throws CourierError METRIC_UNDEFINED at once */
function beginLift(baseline: SeedScores, treatment: SeedScores, replicates: number): Generator<void, Lift> {
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

/** DeLong's test of the mean difference; as if all seeds erred alike, which is the cautious assumption. */
function pDeLong(baseline: SeedScores, treatment: SeedScores): number {
  const tests = baseline.map(({ scores, labels }, seed) =>
    deLongTest(scores, treatment[seed]!.scores, labels),
  );
  const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const difference = mean(tests.map((test) => test.difference));
  const variance = mean(tests.map((test) => test.variance));
  if (variance === 0) return difference === 0 ? 1 : 0;
  return 2 * upperTail(Math.abs(difference) / Math.sqrt(variance));
}

async function sliceResults(
  slices: readonly Slice[],
  baseline: SeedScores | null,
  seeds: SeedScores,
  replicates: number,
  signal: AbortSignal | undefined,
): Promise<readonly SliceResult[]> {
  const results: SliceResult[] = [];
  for (const slice of slices) results.push(await sliceResult(slice, baseline, seeds, replicates, signal));
  return results;
}

async function sliceResult(
  slice: Slice,
  baseline: SeedScores | null,
  seeds: SeedScores,
  replicates: number,
  signal: AbortSignal | undefined,
): Promise<SliceResult> {
  const { family, name, rows } = slice;
  const part = (all: SeedScores) => all.map((one) => rowsOfSlice(one, slice));
  const measured = measure(() => ({
    auc: summarise(part(seeds).map(({ scores, labels }) => auc(scores, labels))),
    lift: baseline === null ? null : beginLift(part(baseline), part(seeds), replicates),
  }));
  const where = { family, name, exposures: rows.length };
  if (measured.kind === 'undefined') return { ...where, kind: 'undefined', why: measured.why };
  const { lift, ...value } = measured.value;
  return { ...where, kind: 'value', ...value, lift: lift === null ? null : await inTurns(lift, signal) };
}

function sameRows(a: Int32Array, b: Int32Array): boolean {
  return a.length === b.length && a.every((row, index) => row === b[index]);
}
