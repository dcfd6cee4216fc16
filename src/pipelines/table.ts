/** The table of a comparison: metrics over seeds, and the lift over the ranker without images. */
import type { Dataset } from '../data/dataset.ts';
import { pageViewOfRows } from '../features/feature.ts';
import { auc, gauc } from '../metrics/auc.ts';
import { pairedBootstrap } from '../metrics/bootstrap.ts';
import { logLoss } from '../metrics/probability.ts';
import { summarise } from '../metrics/summary.ts';
import { Random } from '../random.ts';
import type { RankerResult } from '../rankers/train.ts';
import type { Lift, ReportRow } from '../report/report.ts';

export interface TableCell {
  readonly source: string | null;
  /** null: without images. */
  readonly feature: string | null;
  readonly seed: number;
  readonly result: RankerResult;
}

/** One row per source and feature, in the order of the cells; the first is the baseline of the others. */
export function tableRows(
  cells: readonly TableCell[],
  dataset: Dataset,
  { replicates }: { readonly replicates: number },
): readonly ReportRow[] {
  const testRows = cells[0]?.result.testRows ?? new Int32Array();
  if (cells.some(({ result }) => !sameRows(result.testRows, testRows)))
    throw new Error('cells have different test rows');
  const pageViewOf = pageViewOfRows(dataset);
  const users = testRows.map((row) => dataset.pageViews.user[pageViewOf[row]!]!);
  const labels = Uint8Array.from(testRows, (row) => dataset.exposures.clicked[row]!);
  const groups = groupCells(cells);
  const [baseline] = groups;
  return groups.map((group) => {
    const scores = group.map(({ result }) => result.testScores);
    const over = (metric: (scores: Float32Array) => number) => summarise(scores.map(metric));
    const isBaseline = group === baseline;
    return {
      features: group[0]!.feature ?? 'none',
      objective: group[0]!.source,
      seeds: group.map(({ seed }) => seed),
      auc: over((each) => auc(each, labels)),
      gauc: over((each) => gauc(each, labels, users).gauc),
      logLoss: over((each) => logLoss(each, labels)),
      lift: isBaseline ? null : liftOver(baseline!, group, labels, users, replicates),
    };
  });
}

function groupCells(cells: readonly TableCell[]): readonly TableCell[][] {
  const groups = new Map<string, TableCell[]>();
  for (const cell of cells) {
    const key = JSON.stringify([cell.source, cell.feature]);
    groups.set(key, [...(groups.get(key) ?? []), cell]);
  }
  return [...groups.values()];
}

function liftOver(
  baseline: readonly TableCell[],
  treatment: readonly TableCell[],
  labels: Uint8Array,
  users: Int32Array,
  replicates: number,
): Lift {
  const { difference, ci95, p } = pairedBootstrap({
    baseline: baseline.map(({ result }) => result.testScores),
    treatment: treatment.map(({ result }) => result.testScores),
    labels,
    users,
    replicates,
    // The same resamples for every row, so that rows can be compared with each other.
    random: Random.seeded(1, 'bootstrap'),
  });
  return { auc: difference, ci95, p };
}

function sameRows(a: Int32Array, b: Int32Array): boolean {
  return a.length === b.length && a.every((row, index) => row === b[index]);
}
